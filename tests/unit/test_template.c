#include "lib/template.h"

#include "tests/unit/written.h"

static void fill(FILE *out, struct span name, const void *from)
{
    (void)fprintf(out, "(%.*s %s)", (int)name.len, name.data, (const char *)from);
}

static bool holds(struct span name, const void *from)
{
    (void)from;
    return span_equals(name, span_of("yes"));
}

static void put_dots(FILE *out, struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        (void)fputc(text.data[i] == '\n' ? '\n' : '.', out);
}

static void expect(void (*text)(FILE *out, struct span text), const char *given,
                   const char *expected)
{
    const struct template how = {.text = text, .fill = fill, .holds = holds};
    struct written w;

    written_begin(&w);
    template_write(w.out, &how, given, "from");
    written_is(&w, expected);
}

static void gaps_are_filled(void **state)
{
    (void)state;
    expect(template_plain, "", "");
    expect(template_plain, "no gap } {", "no gap } {");
    expect(template_plain, "{{a}}", "(a from)");
    expect(template_plain, "x{{a}}{{bc}}\ny {{d}}.\n", "x(a from)(bc from)\ny (d from).\n");
}

static void what_is_between_gaps_is_written_by_the_function_for_it(void **state)
{
    (void)state;
    expect(put_dots, "ab{{a}}c\n", "..(a from).\n");
}

static void a_line_is_kept_only_if_its_condition_holds(void **state)
{
    (void)state;
    expect(template_plain, "a\n{{?yes}}b\nc", "a\nb\nc");
    expect(template_plain, "a\n{{?no}}b {{x}}\nc", "a\nc");
    expect(template_plain, "{{?no}}b\n{{?yes}}c", "c");
    expect(template_plain, "{{?no}}the last", "");
    expect(template_plain, "{{?yes}}{{?no}}b\nc", "c");
}

static void the_rest_of_a_line_is_kept_only_if_its_condition_holds(void **state)
{
    (void)state;
    expect(template_plain, "a{{?yes}} b\nc", "a b\nc");
    expect(template_plain, "a{{?no}} b\nc", "a\nc");
    expect(template_plain, "{{x}}{{?no}} b\nc", "(x from)\nc");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gaps_are_filled),
        cmocka_unit_test(what_is_between_gaps_is_written_by_the_function_for_it),
        cmocka_unit_test(a_line_is_kept_only_if_its_condition_holds),
        cmocka_unit_test(the_rest_of_a_line_is_kept_only_if_its_condition_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
