#!/usr/bin/python3
"""Compares how the project reads addresses and CIDR blocks with Python's ipaddress."""

import ipaddress
import re

from judge import BATCH, Comparison

MAPPED_BITS = 96
PREFIX = re.compile(r"0|[1-9][0-9]{0,2}")
QUESTION = re.compile(r"did you mean (\S+)\?$")
IPV4_COMPATIBLE = ipaddress.ip_network("::/96")


def read_address(text):
    """As ipaddress does, but for zones; an IPv4-mapped address is the IPv4 address."""
    if "%" in text:
        raise ValueError("a zone")
    address = ipaddress.ip_address(text)
    if address.version == 6 and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def read_block(text):
    """Address and prefix length, host bits as they are."""
    front, slash, bits = text.partition("/")
    address = read_address(front)
    if not slash:
        return address, address.max_prefixlen
    if not PREFIX.fullmatch(bits):
        raise ValueError("no prefix length")
    is_mapped = address.version == 4 and ":" in front
    prefix_len = int(bits) - (MAPPED_BITS if is_mapped else 0)
    if not 0 <= prefix_len <= address.max_prefixlen:
        raise ValueError("a prefix length that does not exist")
    return address, prefix_len


def check_text(address, text):
    """Where glibc and ipaddress choose between the same two texts otherwise, both are right."""
    if address.version == 6 and address in IPV4_COMPATIBLE:
        return ipaddress.ip_address(text) == address
    return text == str(address)


def check_address(data, answer):
    try:
        address = read_address(data.decode("latin-1"))
    except ValueError:
        return None if answer == b"none" else "Python refuses it"
    if answer == b"none":
        return f"Python reads {address}"
    family, digits, text = answer.decode().split(" ")
    if int(family) != address.version or bytes.fromhex(digits) != address.packed:
        return f"Python reads {address}"
    return None if check_text(address, text) else f"Python writes {address}"


def check_cidr(data, answer):
    said = answer.decode()
    try:
        address, prefix_len = read_block(data.decode("latin-1"))
    except ValueError:
        return None if said.startswith("refused ") else "Python refuses it"
    block = ipaddress.ip_network((address, prefix_len), strict=False)
    if block.network_address == address:
        text = said
    else:
        question = QUESTION.search(said)
        if not said.startswith("refused ") or question is None:
            return f"it has host bits of {block} set"
        text = question.group(1)
    if text.startswith("refused ") or ipaddress.ip_network(text) != block:
        return f"Python reads {block}"
    return None if check_text(block.network_address, text.split("/")[0]) else "another text"


def check_contains(data, answer):
    front, back = data.decode().split(" ")
    address, prefix_len = read_block(front)
    inside = read_address(back) in ipaddress.ip_network((address, prefix_len))
    return None if answer == (b"yes" if inside else b"no") else f"Python says {inside}"


PIECES = [*".:/%0123456789abcdefABCDEFgx -+\0\n\u00b2\u00e9", "::", "0x", "00", "ffff", "/128", "/32"]
PIECES += ["/0", "/8", "/96", "::ffff:", "%eth0", "255", "256", "1.2.3.4", "/255.0.0.0", "/-1", "::1"]
EDGES = [0, 1, 24, 31, 32, 33, 95, 95, 96, 97, 127, 128, 129]


def make_address(random):
    what = random.random()
    if what < 0.35:
        return str(ipaddress.IPv4Address(random.getrandbits(32)))
    if what < 0.5:
        tail = ipaddress.IPv4Address(random.getrandbits(32))
        return random.choice(["::ffff:{}", "::FFFF:{}", "::{}", "64:ff9b::{}"]).format(tail)
    groups = [random.choice([0, 0, 0, 1, 0xFFFF, random.getrandbits(16)]) for _ in range(8)]
    address = ipaddress.IPv6Address(b"".join(group.to_bytes(2, "big") for group in groups))
    return random.choice([str(address), address.exploded, str(address).upper()])


def make_block(random):
    text = make_address(random)
    bits = random.choice([random.randrange(140), random.randrange(34), *EDGES])
    if random.random() < 0.6:
        try:
            address, prefix_len = read_block(f"{text}/{bits}")
        except ValueError:
            return f"{text}/{bits}"
        block = ipaddress.ip_network((address, prefix_len), strict=False)
        return str(block)
    return f"{text}/{bits}"


def mutate(random, text):
    for _ in range(random.choice((1, 1, 2, 3))):
        at = random.randrange(len(text) + 1)
        what = random.random()
        if what < 0.4:
            text = text[:at] + random.choice(PIECES) + text[at:]
        elif what < 0.7:
            text = text[:at] + random.choice(PIECES) + text[at + 1 :]
        else:
            text = text[:at] + text[at + random.randrange(1, 4) :]
    return text


def make_text(random, make):
    text = make(random)
    return (mutate(random, text) if random.random() < 0.6 else text).encode("latin-1")


def make_pair(random):
    """A block, and an address that is likely to be near to its edge."""
    address = read_address(make_address(random))
    prefix_len = random.randrange(address.max_prefixlen + 1)
    block = ipaddress.ip_network((address, prefix_len), strict=False)
    edges = [int(block.network_address) - 1, int(block.broadcast_address) + 1, int(address)]
    near = random.choice(edges) % 2**address.max_prefixlen
    other = type(address)(near) if random.random() < 0.9 else make_address(random)
    return f"{block} {other}".encode()


def is_comparable(pair):
    """An IPv6 block in ::ffff:0:0/96 is written as IPv4."""
    try:
        address, prefix_len = read_block(pair.decode().split(" ")[0])
        ipaddress.ip_network((address, prefix_len))
    except ValueError:
        return False
    return True


def main():
    comparison = Comparison("compare_address")
    random = comparison.random

    def counting(check):
        def counted(data, answer):
            comparison.accepted += not answer.startswith((b"none", b"refused", b"no"))
            return check(data, answer)

        return counted

    while comparison.goes_on():
        for what, make, check in (
            ("address", lambda: make_text(random, make_address), check_address),
            ("cidr", lambda: make_text(random, make_block), check_cidr),
            ("contains", lambda: make_pair(random), check_contains),
        ):
            inputs = [make() for _ in range(BATCH // 2)]
            if what == "contains":
                inputs = [pair for pair in inputs if is_comparable(pair)]
            comparison.compare(what, inputs, counting(check))
    comparison.finish()


main()
