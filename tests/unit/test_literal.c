#include "app/api/literal.h"

#include "tests/unit/written.h"

static bool is_own(const char *name)
{
    return strcmp(name, "key") == 0;
}

static void expect(enum language language, const char *json, const char *expected)
{
    struct json_object *value = json_tokener_parse(json);
    struct written w;

    written_begin(&w);
    literal_put(w.out, language, value, is_own);
    written_is(&w, expected);
    json_object_put(value);
}

static const char values[] = "{\"n\": 1, \"no\": null, \"is\": [true, false], \"o\": {}, "
                             "\"l\": [], \"in\": {\"x\": -2}}";

static void json_and_javascript_have_no_comma_behind_the_last_member(void **state)
{
    (void)state;
    expect(
        LANGUAGE_JSON, values,
        "{\n  &quot;n&quot;: 1,\n  &quot;no&quot;: null,\n  &quot;is&quot;: [\n    true,\n"
        "    false\n  ],\n  &quot;o&quot;: {},\n  &quot;l&quot;: [],\n"
        "  &quot;in&quot;: {\n    &quot;x&quot;: -2\n  }\n}");
}

static void php_has_arrays(void **state)
{
    (void)state;
    expect(LANGUAGE_PHP, values,
           "[\n    'n' =&gt; 1,\n    'no' =&gt; null,\n    'is' =&gt; [\n        true,\n"
           "        false,\n    ],\n    'o' =&gt; [],\n    'l' =&gt; [],\n"
           "    'in' =&gt; [\n        'x' =&gt; -2,\n    ],\n]");
}

static void python_has_words_of_its_own(void **state)
{
    (void)state;
    expect(
        LANGUAGE_PYTHON, "{\"a\": [true, false, null]}",
        "{\n    &quot;a&quot;: [\n        True,\n        False,\n        None,\n    ],\n}");
}

static void strings_are_escaped_as_the_language_does(void **state)
{
    static const char json[] = "[\"it's \\\"so\\\" \\\\ <b>\\nü/\"]";

    (void)state;
    expect(LANGUAGE_JSON, json,
           "[\n  &quot;it's \\&quot;so\\&quot; \\\\ &lt;b&gt;\\nü/&quot;\n]");
    expect(LANGUAGE_PYTHON, json,
           "[\n    &quot;it's \\&quot;so\\&quot; \\\\ &lt;b&gt;\\nü/&quot;,\n]");
    expect(LANGUAGE_PHP, json, "[\n    'it\\'s &quot;so&quot; \\\\ &lt;b&gt;\nü/',\n]");
}

static void what_the_reader_replaces_is_marked(void **state)
{
    (void)state;
    expect(LANGUAGE_JSON, "{\"key\": \"k\", \"other\": \"o\"}",
           "{\n  &quot;key&quot;: <var data-name=\"key\">&quot;k&quot;</var>,\n"
           "  &quot;other&quot;: &quot;o&quot;\n}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_and_javascript_have_no_comma_behind_the_last_member),
        cmocka_unit_test(php_has_arrays),
        cmocka_unit_test(python_has_words_of_its_own),
        cmocka_unit_test(strings_are_escaped_as_the_language_does),
        cmocka_unit_test(what_the_reader_replaces_is_marked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
