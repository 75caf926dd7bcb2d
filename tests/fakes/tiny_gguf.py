"""A language model of some tens of kilobytes in a GGUF file, whose answers are known.

Its only layer adds nothing, so what comes next depends on the last token alone: each token of an answer names the
next one. The chat template is the last message's text, whose last letter chooses the answer: ``LOOP`` one without
end, every other letter ``ANSWER``.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ANSWER, LOOP, AGAIN = "Hello there, friend", "!", " la"
_WORDS = ("Hello", " there,", " friend")
_WIDTH, _HEADS, _LAYERS, _INNER, _ALIGNMENT = 32, 2, 1, 32, 32
_UNKNOWN, _BEGIN, _END, _BYTES, _FIRST = 0, 1, 2, 3, 259
_STRONG = 20.0
_TEMPLATE = "{{ messages[-1]['content'] }}"


def write_tiny_model(path: Path, *, window: int = 8192, **overrides: Any) -> Path:
    """Write the file; ``window`` is the number of tokens it says it was trained for. Answers ``path``."""
    pairs = {**_pairs(window), **overrides}
    tensors = _tensors()
    described, offset = b"", 0
    for name, (shape, data) in tensors.items():
        described += _text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape)
        described += struct.pack("<IQ", 0, offset)  # 0: 32-bit floats
        offset += len(data)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(pairs)) + _encoded(pairs) + described
    body = b"".join(data for _, data in tensors.values())
    path.write_bytes(head + bytes(-len(head) % _ALIGNMENT) + body)
    return path


def _pairs(window: int) -> dict[str, Any]:
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *_WORDS, AGAIN]
    tokens = [token.replace(" ", "▁") for token in tokens]
    kinds = [2, 3, 3, *[6] * 256, *[1] * (len(_WORDS) + 1)]
    return {
        "general.architecture": "llama",
        "general.name": "tiny",
        "llama.context_length": window,
        "llama.embedding_length": _WIDTH,
        "llama.block_count": _LAYERS,
        "llama.feed_forward_length": _INNER,
        "llama.attention.head_count": _HEADS,
        "llama.attention.head_count_kv": _HEADS,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.rope.dimension_count": _WIDTH // _HEADS,
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.scores": [0.0 if kind != 1 else -1000.0 for kind in kinds],
        "tokenizer.ggml.token_type": kinds,
        "tokenizer.ggml.bos_token_id": _BEGIN,
        "tokenizer.ggml.eos_token_id": _END,
        "tokenizer.ggml.unknown_token_id": _UNKNOWN,
        "tokenizer.ggml.add_bos_token": False,
        "tokenizer.ggml.add_space_prefix": False,
        "tokenizer.chat_template": _TEMPLATE,
    }


def _tensors() -> dict[str, tuple[tuple[int, ...], bytes]]:
    count = _FIRST + len(_WORDS) + 1
    again = _FIRST + len(_WORDS)
    place = {_FIRST + number: number + 1 for number in range(len(_WORDS) + 1)}
    place[_BYTES + ord(LOOP)] = len(place) + 1
    follows = dict.fromkeys((0,), _FIRST)  # place 0: every other token
    for number in range(len(_WORDS)):
        follows[number + 1] = _FIRST + number + 1 if number + 1 < len(_WORDS) else _END
    follows[place[again]] = follows[place[_BYTES + ord(LOOP)]] = again
    embedding = [[0.0] * _WIDTH for _ in range(count)]
    output = [[0.0] * _WIDTH for _ in range(count)]
    for token in range(count):
        embedding[token][place.get(token, 0)] = 1.0
    for at, token in follows.items():
        output[token][at] = _STRONG
    ones, square = [1.0] * _WIDTH, [0.0] * (_WIDTH * _WIDTH)
    layer = {"attn_norm": ones, "ffn_norm": ones}
    flat = {"attn_q": square, "attn_k": square, "attn_v": square, "attn_output": square}
    flat |= {"ffn_gate": square, "ffn_up": square, "ffn_down": square}
    return {
        "token_embd.weight": ((_WIDTH, count), _floats([value for row in embedding for value in row])),
        "output_norm.weight": ((_WIDTH,), _floats(ones)),
        "output.weight": ((_WIDTH, count), _floats([value for row in output for value in row])),
        **{f"blk.0.{name}.weight": ((_WIDTH,), _floats(values)) for name, values in layer.items()},
        **{f"blk.0.{name}.weight": ((_WIDTH, _WIDTH), _floats(values)) for name, values in flat.items()},
    }


def _floats(values: list[float]) -> bytes:
    return struct.pack(f"<{len(values)}f", *values)


def _text(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def _encoded(pairs: Mapping[str, Any]) -> bytes:
    return b"".join(_text(key) + _typed(value) for key, value in pairs.items())


def _typed(value: Any) -> bytes:
    if isinstance(value, list):
        kind = 5 if isinstance(value[0], int) else _plain(value[0])[0]  # the types of tokens have to be signed
        return struct.pack("<IIQ", 9, kind, len(value)) + b"".join(_plain(one)[1] for one in value)
    kind, data = _plain(value)
    return struct.pack("<I", kind) + data


def _plain(value: Any) -> tuple[int, bytes]:
    if isinstance(value, bool):
        return 7, struct.pack("<?", value)
    if isinstance(value, int):
        return 4, struct.pack("<I", value)
    if isinstance(value, float):
        return 6, struct.pack("<f", value)
    return 8, _text(value)
