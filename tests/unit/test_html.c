#include "lib/html.h"

#include "tests/unit/written.h"

static void markup_in_a_text_is_escaped(void **state)
{
    static const char text[] = "<a href=\"x\">&amp; 'ü'\0end";
    struct written w;

    (void)state;
    written_begin(&w);
    html_put(w.out, (struct span){text, strlen(text)});
    html_put(w.out, (struct span){NULL, 0});
    written_is(&w, "&lt;a href=&quot;x&quot;&gt;&amp;amp; 'ü'");
}

static void code_in_prose_becomes_an_element(void **state)
{
    static const char *const texts[][2] = {
        {"", ""},
        {"plain & so on", "plain &amp; so on"},
        {"`code`", "<code>code</code>"},
        {"Send `a<b` and `c`.", "Send <code>a&lt;b</code> and <code>c</code>."},
    };
    struct written w;

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        written_begin(&w);
        html_put_prose(w.out, texts[i][0]);
        written_is(&w, texts[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markup_in_a_text_is_escaped),
        cmocka_unit_test(code_in_prose_becomes_an_element),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
