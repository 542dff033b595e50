"""MP4 and its family: boxes freed in place."""
