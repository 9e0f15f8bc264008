"""Seeds from names: a request gets the same seed in every run, whatever else runs."""

from hashlib import blake2b


def seed_of(*parts: object, bits: int) -> int:
    """A seed of at most `bits` bits from everything that identifies a request.

    A caller that counts up from a seed asks for 30 bits, so that the sums stay below 2^31.
    """
    name = "/".join(map(str, parts)).encode()
    return int.from_bytes(blake2b(name, digest_size=4).digest()) >> (32 - bits)
