"""What an image may ask for."""

from pydantic import BaseModel

from schemas.errors import Rejected


class Limits(BaseModel):
    """What an image may ask for; judged from its header before it is decoded."""

    max_pixels: int = 64_000_000
    max_frames: int = 1_000
    max_total_pixels: int = 512_000_000  # of all frames

    def admit(self, width: int, height: int) -> None:
        """Let a canvas or a frame of this size pass.

        Raises:
            Rejected: `unreadable_image` without an area, `too_many_pixels` if larger.
        """
        if width < 1 or height < 1:
            raise Rejected("unreadable_image", "it has no area")
        if width * height > self.max_pixels:
            raise Rejected("too_many_pixels", f"more than {self.max_pixels}")

    def admit_deflated(self, sizes: list[int]) -> None:
        """Let deflated pictures that inflate to so many bytes pass.

        Four bytes for each of max_pixels, and of three such pictures: deep alpha and
        long animations in full colour would take longer than anything else does.

        Raises:
            Rejected: `too_many_pixels`.
        """
        most = 4 * self.max_pixels
        if max(sizes) > most or sum(sizes) > 3 * most:
            raise Rejected("too_many_pixels", f"they take {sum(sizes)} bytes")

    def admit_frames(self, areas: list[int]) -> None:
        """Let an animation with frames of these areas pass.

        Raises:
            Rejected: `too_many_frames`, `too_many_pixels`.
        """
        if len(areas) > self.max_frames:
            raise Rejected("too_many_frames", f"more than {self.max_frames}")
        if sum(areas) > self.max_total_pixels:
            raise Rejected(
                "too_many_pixels", f"more than {self.max_total_pixels} in all frames"
            )

    def admit_scans(self, samples: int, coded_bytes: int) -> None:
        """Let a JPEG whose scans go over so many samples and bytes pass.

        Args:
            samples: of each scan those of its components, all scans together.
            coded_bytes: weighed by what they cost; those of progressive scans as one.

        Raises:
            Rejected: `too_many_scans`; `too_many_pixels` if there is more code than a
                byte for each of max_pixels, which only noise takes.
        """
        # Encoders go 14 times over as many samples as an opaque picture has pixels,
        # 24 times if it is made of inks.
        if samples > 32 * self.max_pixels:
            raise Rejected("too_many_scans", f"they go over {samples} samples")
        if coded_bytes > self.max_pixels:
            raise Rejected("too_many_pixels", f"their code takes {coded_bytes} bytes")
