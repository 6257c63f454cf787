"""RFC 8259 and nothing else."""

import pytest

from support.answers import assert_error, assert_success
from support.site import encode

NOT_VALID = {
    "nothing": b"",
    "only white space": b" \r\n\t ",
    "form data": b"api_key=x&note=y",
    "open object": b"{",
    "open member": b'{"a"',
    "no value": b'{"a":}',
    "no colon": b'{"a" 1}',
    "open string": b'{"a":"b}',
    "open array": b'{"a":[1}',
    "comma at the end of an object": b'{"a":1,}',
    "comma at the end of an array": b'{"a":[1,]}',
    "comma alone": b"{,}",
    "two commas": b'{"a":1,,"b":2}',
    "no comma": b'{"a":1 "b":2}',
    "closing the wrong way": b'{"a":[1}]',
    "single quotes": b"{'a':'b'}",
    "name without quotes": b"{a:1}",
    "number as name": b'{1:"a"}',
    "comment": b'{"a":1/* x */}',
    "line comment": b'{"a":1} // x',
    "NaN": b'{"a":NaN}',
    "Infinity": b'{"a":Infinity}',
    "minus Infinity": b'{"a":-Infinity}',
    "True": b'{"a":True}',
    "NULL": b'{"a":NULL}',
    "nul": b'{"a":nul}',
    "truefalse": b'{"a":truefalse}',
    "leading zero": b'{"a":01}',
    "minus leading zero": b'{"a":-01}',
    "plus": b'{"a":+1}',
    "minus alone": b'{"a":-}',
    "point at the end": b'{"a":1.}',
    "point at the beginning": b'{"a":.5}',
    "empty exponent": b'{"a":1e}',
    "empty signed exponent": b'{"a":1e+}',
    "hexadecimal": b'{"a":0x10}',
    "raw newline in a string": b'{"a":"x\ny"}',
    "raw tab in a string": b'{"a":"x\ty"}',
    "raw control character in a string": b'{"a":"\x01"}',
    "raw control character in a name": b'{"\x1f":1}',
    "form feed as white space": b'{\x0c"a":1}',
    "no-break space as white space": b'{\xc2\xa0"a":1}',
    "bad escape": b'{"a":"\\x41"}',
    "escaped single quote": b'{"a":"\\\'"}',
    "short unicode escape": b'{"a":"\\u12"}',
    "bad unicode escape": b'{"a":"\\u12G4"}',
    "lone high surrogate": b'{"a":"\\ud800"}',
    "lone low surrogate": b'{"a":"\\udc00"}',
    "high surrogate and a letter": b'{"a":"\\ud800\\u0041"}',
    "surrogates the wrong way round": b'{"a":"\\udc00\\ud800"}',
    "lone surrogate in a name": b'{"\\ud83d":1}',
    "NUL in a name": b'{"\\u0000":1}',
    "NUL at the end of a name": b'{"api_key\\u0000":1}',
    "overlong slash": b'{"a":"\xc0\xaf"}',
    "overlong NUL": b'{"a":"\xc0\x80"}',
    "overlong of three bytes": b'{"a":"\xe0\x80\xaf"}',
    "encoded surrogate": b'{"a":"\xed\xa0\x80"}',
    "beyond U+10FFFF": b'{"a":"\xf4\x90\x80\x80"}',
    "cut character": b'{"a":"\xc3"}',
    "lone continuation": b'{"a":"\x80"}',
    "latin-1": b'{"a":"Gr\xfc\xdfe"}',
    "utf-16": '{"a":1}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"a":1}',
    "NUL behind": b"{}\x00",
    "NUL and more behind": b'{}\x00{"a":1}',
    "NUL before": b"\x00{}",
    "text behind": b"{}x",
    "second object": b"{} {}",
    "closing twice": b"{}}",
    "name twice": b'{"a":1,"a":2}',
    "name twice with the same value": b'{"a":1,"a":1}',
    "name twice, once by escapes": b'{"a":1,"\\u0061":2}',
    "name twice inside": b'{"x":{"a":1,"a":2}}',
    "name twice inside a list": b'{"x":[{"a":1,"b":2,"a":3}]}',
    "empty name twice": b'{"":1,"":2}',
    "cut in the middle": b'{"api_key":"x","note":"y',
}

NO_OBJECT = {
    "array": b"[]",
    "array of an object": b'[{"a":1}]',
    "string": b'"x"',
    "empty string": b'""',
    "number": b"1",
    "negative number": b"-1.5e3",
    "true": b"true",
    "null": b"null",
    "array with white space": b" \n[1]\t",
}

VALID = {
    "empty name": '"":1',
    "all escapes": r'"x":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude42"',
    "NUL in another value": r'"x":"a\u0000b"',
    "numbers": '"x":[0,-0,1.5,-1.5e+10,1E-2,123456789012345678901234567890,1e400]',
    "the same name in two objects": '"x":{"a":1},"y":{"a":1}',
    "names that differ in case": '"NOTE":1,"Note":2',
    "literals": '"x":[true,false,null,{},[]]',
}


@pytest.mark.parametrize("body", NOT_VALID.values(), ids=NOT_VALID.keys())
def test_what_is_not_valid_json_is_refused(front, body):
    answer = front.send(body)
    assert_error(answer, "INVALID_JSON", "Request body is not valid JSON", status=400)


@pytest.mark.parametrize("body", NO_OBJECT.values(), ids=NO_OBJECT.keys())
def test_valid_json_that_is_no_object_is_refused(front, body):
    answer = front.send(body)
    assert_error(answer, "INVALID_JSON", "Request body must be a JSON object", status=400)


@pytest.mark.parametrize("member", VALID.values(), ids=VALID.keys())
def test_what_is_valid_is_accepted(front, shared, member):
    answer = front.send(with_member(shared, member))
    assert_success(answer, shared.contact, '"x"', visibility=1)


@pytest.mark.parametrize("duplicate", ['"note":"y"', '"n\\u006fte":"x"', '"api_key":""'])
def test_a_good_request_with_a_name_twice_is_refused(front, shared, duplicate):
    answer = front.send(with_member(shared, duplicate))
    assert_error(answer, "INVALID_JSON", "Request body is not valid JSON", status=400)


def nested(depth):
    """A value of that many arrays and objects inside each other."""
    lists = depth // 2
    return '{"d":' * (depth - lists) + "[" * lists + "]" * lists + "}" * (depth - lists)


def test_depth_16_is_good(front, shared):
    answer = front.send(with_member(shared, f'"x":{nested(15)}'))
    assert_success(answer, shared.contact, '"x"', visibility=1)


def test_depth_17_is_refused(front, shared):
    answer = front.send(with_member(shared, f'"x":{nested(16)}'))
    assert_error(answer, "INVALID_JSON", "Request body is not valid JSON", status=400)


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_endless_nesting_is_refused(front, opening):
    answer = front.send(opening * 20000)
    assert_error(answer, "INVALID_JSON", "Request body is not valid JSON", status=400)


def with_member(world, member):
    """A good request with one more member, written as JSON."""
    return encode(world.body(note="x"))[:-1] + f",{member}}}".encode()
