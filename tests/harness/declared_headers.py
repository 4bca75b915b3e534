"""What src/api/s3/headers.cc declares: the headers that each operation of S3 takes, that are refused, that change nothing.
Names that end in "-" are the beginnings of several."""

import re

from harness.server import REPOSITORY

SOURCE = REPOSITORY / "src" / "api" / "s3" / "headers.cc"
LITERALS = r'((?:\s*"[^"]*")+)'


def names(literals):
    return "".join(re.findall(r'"([^"]*)"', literals)).split()


def of_constant(name):
    return names(re.search(rf"{name} ={LITERALS};", SOURCE.read_text())[1])


def taken():
    """{operation: names}"""
    rows = re.findall(rf"\{{Operation::k(\w+),{LITERALS}\}}", SOURCE.read_text())
    return {operation: names(literals) for operation, literals in rows}


def refused():
    table = re.search(r"kRefused\[\] = \{(.*?)\n\};", SOURCE.read_text(), re.S)[1]
    return re.findall(r'^ *\{"([^"]+)"', table, re.M)


def of_every_operation():
    return [name for constant in ("kWithoutEffect", "kOwners", "kAclHeaders") for name in of_constant(constant)] + refused()


def covers(declared, header):
    return any(header.startswith(name) if name.endswith("-") else header == name for name in declared)
