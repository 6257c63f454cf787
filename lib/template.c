#include "lib/template.h"

#include <assert.h>

void template_plain(FILE *out, struct span text)
{
    (void)fwrite(text.data, 1, text.len, out);
}

/* What follows the rest of the line, the line feed included if that is left out, too. */
static const char *skip_line(const char *rest, bool whole)
{
    rest += strcspn(rest, "\n");
    return rest + (whole && *rest != '\0' ? 1 : 0);
}

void template_write(FILE *out, const struct template *how, const char *text,
                    const void *from)
{
    bool line_begins = true;

    for (const char *gap; (gap = strstr(text, "{{")) != NULL;) {
        const char *end = strstr(gap, "}}");
        bool asks = gap[2] == '?';
        const char *name = gap + (asks ? 3 : 2);

        assert(end != NULL && end >= name);
        const struct span known = {name, (size_t)(end - name)};
        line_begins = gap > text ? gap[-1] == '\n' : line_begins;
        how->text(out, (struct span){text, (size_t)(gap - text)});
        text = end + 2;
        if (!asks)
            how->fill(out, known, from);
        else if (!how->holds(known, from))
            text = skip_line(text, line_begins);
        line_begins = line_begins && asks;
    }
    how->text(out, span_of(text));
}
