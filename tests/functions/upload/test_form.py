"""Multipart forms: what is read, what is refused, and how it gets to a thread."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import ClientDisconnect

from functions.upload.form import (
    Field,
    FilePart,
    FormError,
    FormLimits,
    read_form,
    read_urlencoded,
)

TYPE = "multipart/form-data; boundary=frontier"
LIMITS = FormLimits(total_bytes=1_000_000, parts=5, field_bytes=100)


async def flow(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def part(disposition: str | bytes, body: bytes = b"", *headers: bytes) -> bytes:
    raw = disposition if isinstance(disposition, bytes) else disposition.encode()
    lines = [b"Content-Disposition: form-data; " + raw, *headers, b"", body]
    return b"--frontier\r\n" + b"\r\n".join(lines) + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--frontier--\r\n"


async def collect(
    chunks: Iterable[bytes], content_type: str = TYPE, limits: FormLimits = LIMITS
) -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    async for item in read_form(content_type, flow(chunks), limits):
        if isinstance(item, Field):
            found.append((item.name, item.value))
        else:
            data = b"".join([chunk async for chunk in item.chunks])
            found.append((item.name, (item.filename, item.media_type, data)))
    return found


def read(*chunks: bytes, content_type: str = TYPE) -> list[tuple[str, object]]:
    return asyncio.run(collect(chunks, content_type))


def refusal(attempt: Callable[[], object]) -> str:
    with pytest.raises(FormError) as caught:
        attempt()
    return caught.value.code


def named(disposition: str | bytes) -> str:
    ((_, value),) = read(form(part(disposition)))
    assert isinstance(value, tuple)
    return str(value[0])


def test_fields_and_files_come_out_in_their_order() -> None:
    body = form(
        part('name="project_id"', b"p"),
        part('name="file"; filename="a.png"', b"bytes", b"Content-Type: image/png"),
        part('name="user_consent"', b"true"),
    )

    found = read(body)

    assert found == [
        ("project_id", "p"),
        ("file", ("a.png", "image/png", b"bytes")),
        ("user_consent", "true"),
    ]


@given(
    data=st.binary(max_size=300)
    | st.text("\r\n-frontie", max_size=300).map(str.encode),
    cuts=st.lists(st.integers(0, 900)),
)
def test_a_form_reads_the_same_however_it_is_cut_into_chunks(
    data: bytes, cuts: list[int]
) -> None:
    if b"\r\n--frontier" in b"\r\n" + data + b"\r\n":
        return
    body = form(
        part('name="a"', b"1"), part('name="f"; filename="n"', data), part('name="b"')
    )
    edges = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]

    found = read(*(body[start:end] for start, end in pairwise(edges)))

    assert found == [
        ("a", "1"),
        ("f", ("n", "application/octet-stream", data)),
        ("b", ""),
    ]


@given(st.binary(max_size=200), st.integers(0, 200), st.integers(0, 200))
def test_whatever_is_damaged_a_form_is_read_or_refused(
    noise: bytes, start: int, length: int
) -> None:
    body = form(
        part('name="a"', b"1"), part('name="f"; filename="n"', b"xyz"), part('name="b"')
    )
    damaged = body[:start] + noise + body[start + length :]

    with suppress(FormError):  # and nothing else
        read(damaged)


def test_what_the_reader_of_a_file_leaves_is_skipped() -> None:
    body = form(part('name="f"; filename="n"', b"x" * 1000), part('name="a"', b"1"))
    chunks = [body[at : at + 64] for at in range(0, len(body), 64)]

    async def skip() -> list[str]:
        items: list[str] = []
        async for item in read_form(TYPE, flow(chunks), LIMITS):
            if isinstance(item, FilePart):
                items.append(str(len(await anext(item.chunks))))
            else:
                items.append(item.value)
        return items

    assert asyncio.run(skip())[-1] == "1"


@pytest.mark.parametrize(
    "value", ["", "application/json", "multipart/mixed; boundary=x"]
)
def test_another_content_type_is_not_supported(value: str) -> None:
    code = refusal(lambda: read(form(), content_type=value))

    assert code == "unsupported_media_type"


@pytest.mark.parametrize(
    "value", ["", ";boundary=", ";boundary=ü", ";boundary=" + "x" * 71]
)
def test_a_form_without_a_proper_boundary_is_malformed(value: str) -> None:
    code = refusal(lambda: read(form(), content_type="multipart/form-data" + value))

    assert code == "body_malformed"


def test_a_quoted_boundary_is_understood() -> None:
    quoted = 'Multipart/Form-Data; charset=utf-8; Boundary="frontier"'

    found = read(form(part('name="a"', b"1")), content_type=quoted)

    assert found == [("a", "1")]


@pytest.mark.parametrize(
    "body",
    [
        b"garbage that is no form",
        b"--other\r\n\r\n",
        b"--frontier\r\n\r\nno name\r\n--frontier--\r\n",
        form(part("filename=x")),
        form(part('name="a"', b"eA==", b"Content-Transfer-Encoding: base64")),
        form(part('name="a"', b"", b'content-disposition: form-data; name="b"')),
        form(part('name="a"', b"", b"X-Long: " + b"x" * 10_000)),
        form(*[part('name="a"')] * 6),
    ],
    ids=["text", "boundary", "unnamed", "nameless", "encoded", "twice", "long", "many"],
)
def test_a_malformed_form_is_refused(body: bytes) -> None:
    assert refusal(lambda: read(body)) == "body_malformed"


@pytest.mark.parametrize("kept", range(0, 110, 10))
def test_a_form_that_breaks_off_is_incomplete(kept: int) -> None:
    body = form(part('name="a"', b"1"), part('name="f"; filename="n"', b"bytes"))

    assert refusal(lambda: read(body[:kept])) == "body_incomplete"


def test_a_client_that_leaves_makes_the_form_incomplete() -> None:
    async def leaving() -> AsyncIterator[bytes]:
        yield b"--frontier\r\n"
        raise ClientDisconnect

    async def parts() -> None:
        async for _ in read_form(TYPE, leaving(), LIMITS):
            pass

    assert refusal(lambda: asyncio.run(parts())) == "body_incomplete"


def test_a_body_over_the_total_is_too_large() -> None:
    chunks = [part('name="f"; filename="n"', b""), *[b"x" * 1000] * 1000]

    assert refusal(lambda: read(*chunks)) == "too_large"


@pytest.mark.parametrize(
    ("value", "header"),
    [
        (b"\xff\xfe", b"Content-Type: text/plain"),
        (b"x", b"Content-Type: text/plain; charset=klingon"),
        (b"x", b"Content-Type: text/plain; charset=idna"),
        (b"x" * 101, b"Content-Type: text/plain"),
    ],
    ids=["not utf-8", "unknown charset", "no charset for forms", "too long"],
)
def test_a_bad_field_is_refused_when_its_value_is_asked_for(
    value: bytes, header: bytes
) -> None:
    assert (
        refusal(lambda: read(form(part('name="a"', value, header)))) == "field_invalid"
    )


@pytest.mark.parametrize("charset", ["iso-8859-1", "windows-1252", "UTF-8", "utf-16"])
def test_a_field_is_decoded_by_its_own_charset(charset: str) -> None:
    header = f"Content-Type: text/plain; charset={charset}".encode()

    found = read(form(part('name="a"', "é".encode(charset), header)))

    assert found == [("a", "é")]


@pytest.mark.parametrize(
    ("disposition", "filename"),
    [
        ('name="f"; filename="a b;c.png"', "a b;c.png"),
        ("name=f; filename=plain.png", "plain.png"),
        (r'name="f"; filename="a\"b\\c"', r'a"b\c'),
        ('name="f"; filename=""', ""),
        ('name="f"; filename="übung 🦀.png"', "übung 🦀.png"),
        (b'name="f"; filename="\xfcbung"', "übung"),
        ('name="f"; filename="x"; filename*=UTF-8\'de\'%c3%bcbung%22', 'übung"'),
        ("name=\"f\"; filename*=iso-8859-1''%fcbung", "übung"),
        ('name="f"; filename="x"; filename*=klingon\'\'%fc', "x"),
        ('name="f"; filename="unclosed', '"unclosed'),
        ('name="f"; filename="first"; filename="second"', "first"),
    ],
)
def test_a_file_name_is_read_as_browsers_and_programs_send_it(
    disposition: str | bytes, filename: str
) -> None:
    assert named(disposition) == filename


def test_an_urlencoded_form_has_fields_only() -> None:
    async def fields() -> list[tuple[str, str]]:
        body = flow([b"project_id=p&user_con", b"sent=true&reference=%C3%BC+"])
        return [(f.name, f.value) async for f in read_urlencoded(body, LIMITS)]

    found = asyncio.run(fields())

    assert found == [("project_id", "p"), ("user_consent", "true"), ("reference", "ü ")]


@pytest.mark.parametrize(
    ("body", "code"), [(b"a=" + b"x" * 100, "too_large"), (b"a&" * 6, "body_malformed")]
)
def test_an_urlencoded_form_has_limits(body: bytes, code: str) -> None:
    async def fields() -> None:
        async for _ in read_urlencoded(flow([body]), LIMITS):
            pass

    assert refusal(lambda: asyncio.run(fields())) == code
