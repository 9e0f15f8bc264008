"""Seeds from names: a request gets the same seed in every run, whatever else runs."""

from hashlib import blake2b


def seed_of(*parts: object, bits: int) -> int:
    """A seed of at most `bits` bits from all that identifies a request.

    A caller that counts on from a seed asks for 30 bits, so that its sums stay within 31.
    """
    name = "/".join(map(str, parts)).encode()
    return int.from_bytes(blake2b(name, digest_size=4).digest()) >> (32 - bits)
