import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.mllp.framing import Decoder, Frame, Oversized, framed

LIMIT = 40


def decoded(*chunks: bytes, limit: int = 1_000) -> list[Frame]:
    decoder = Decoder(limit)
    return [frame for chunk in chunks for frame in decoder.feed(chunk)]


def test_several_messages_in_one_packet_and_one_in_many():
    assert decoded(framed(b"one") + framed(b"two")) == [b"one", b"two"]
    assert decoded(*(bytes([byte]) for byte in framed(b"one"))) == [b"one"]


@pytest.mark.parametrize(
    ("stream", "messages"),
    [
        (b"noise\r\n" + framed(b"one"), [b"one"]),
        (b"\x0bone\x1c\x0btwo\x1c\r", [b"one", b"two"]),
        (b"\x0bone\x1c\nnoise\x0btwo\x1c\r", [b"one", b"two"]),
        (b"\x1c\r\x1c\r" + framed(b"one"), [b"one"]),
        (b"\x0b\x1c\r", [b""]),
        (b"\x0bMSH|half\x0bMSH|whole\x1c\r", [b"MSH|whole"]),
        (b"\x0bMSH|soft\x0bbreak\x1c\r", [b"MSH|soft\x0bbreak"]),
        (b"\x0bnever finished", []),
    ],
)
def test_sloppy_frames_are_understood(stream: bytes, messages: list[bytes]):
    assert decoded(stream) == messages


def test_a_message_over_the_limit_is_told_by_its_beginning_and_the_next_one_is_read():
    long = b"MSH|" + b"x" * 200
    assert decoded(framed(long) + framed(b"next"), limit=LIMIT) == [Oversized(long[:LIMIT]), b"next"]
    assert decoded(framed(b"y" * LIMIT), limit=LIMIT) == [b"y" * LIMIT]


def test_a_message_over_the_limit_is_told_before_it_ends_and_is_not_held():
    decoder = Decoder(LIMIT)
    assert len(decoder.feed(b"\x0b" + b"x" * 100)) == 1
    assert decoder.pending == 0
    assert decoder.feed(b"x" * 1_000) == []
    assert decoder.feed(b"x\x1c\r" + framed(b"next")) == [b"next"]


@given(
    st.lists(st.sampled_from([b"\x0b", b"\x1c", b"\r", b"MSH", b"a", b"b" * 15, b"c" * 50]), max_size=30),
    st.lists(st.integers(min_value=1, max_value=20), max_size=30),
)
def test_messages_are_the_same_whatever_the_chunks(parts: list[bytes], sizes: list[int]):
    stream = b"".join(parts)
    chunks: list[bytes] = []
    rest = stream
    for size in sizes:
        chunks.append(rest[:size])
        rest = rest[size:]
    assert decoded(*chunks, rest, limit=LIMIT) == decoded(stream, limit=LIMIT)


@given(st.lists(st.binary(max_size=60).filter(lambda body: not set(body) & {0x0B, 0x1C}), max_size=8))
def test_what_is_framed_is_decoded(messages: list[bytes]):
    assert decoded(b"".join(map(framed, messages))) == messages
