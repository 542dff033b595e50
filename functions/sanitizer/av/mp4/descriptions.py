"""The `stsd` box: how sound and pictures are coded, and nothing besides.

Which of the two a description is for follows from its four letters: both have their
own list, and a track may only have one kind.
"""

from functions.sanitizer.av.mp4.boxes import Box, boxes_in
from functions.sanitizer.av.mp4.picture import PICTURES, scrub_picture
from functions.sanitizer.av.mp4.sound import SOUNDS, scrub_sound
from functions.sanitizer.av.scan import unreadable
from functions.sanitizer.findings import Finding


def scrub_descriptions(data: bytearray, box: Box) -> set[Finding]:
    """Clean every description of how a track is coded.

    Raises:
        Rejected: a coding that is not on the list.
    """
    findings: set[Finding] = set()
    for entry in boxes_in(data, box.start + 8, box.end):
        if entry.kind in SOUNDS:
            findings |= scrub_sound(data, entry, quicktime=not data[box.start])
        elif entry.kind in PICTURES:
            findings |= scrub_picture(data, entry)
        else:
            raise unreadable("a track is coded in a way that is not on the list")
    return findings
