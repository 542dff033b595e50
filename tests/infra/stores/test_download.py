"""How downloads are named."""

import pytest

from infra.stores.download import disposition


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("photo.png", 'attachment; filename="photo.png"'),
        ("a b;c.png", 'attachment; filename="a b;c.png"'),
        ("ü.png", "attachment; filename=\"_.png\"; filename*=UTF-8''%C3%BC.png"),
        (
            'a"b\\.png',
            "attachment; filename=\"a_b_.png\"; filename*=UTF-8''a%22b%5C.png",
        ),
        ("50%.png", "attachment; filename=\"50_.png\"; filename*=UTF-8''50%25.png"),
        (
            "a\r\nX: y",
            "attachment; filename=\"a__X: y\"; filename*=UTF-8''a%0D%0AX%3A%20y",
        ),
        ("", 'attachment; filename=""'),
    ],
)
def test_a_download_keeps_its_name_in_any_script(filename: str, expected: str) -> None:
    assert disposition(filename) == expected
