/*
 * How foreign text is quoted in Markdown: on one line that cannot become anything but text, or in a
 * block that it cannot leave.  Control, bidi and zero-width characters go on the way.
 *
 * Owns:     nothing.
 * Units:    bytes; limits count what is written, without the shortest fences and the words about a
 *           cut.
 * Fails:    by breaking the text it writes to.
 * Threads:  any.
 */
#ifndef SESSION_QUOTE_H
#define SESSION_QUOTE_H

#include "base/text.h"

struct arena;

/* Whether anything of it would be seen. */
bool quote_has_ink(struct view foreign);

/* Whether it has a line end between two characters that are no white space. */
bool quote_has_lines(struct view foreign);

/* For behind a label: white space and line ends become one blank; what is too long is cut, visibly. */
void quote_line(struct text *to, struct view foreign, size_t max_bytes);

/* For a line's beginning: as quote_line(), and cannot open a block of its own either. */
void quote_lead(struct text *to, struct view foreign, size_t max_bytes);

/* The same for right behind a list mark, where names stand: at most MAX_KEY_BYTES. */
void quote_key(struct text *to, struct view foreign);

/*
 * A fenced block, the fence longer than any run of backticks inside.  CR LF, CR and the Unicode
 * separators are line ends.  Of what is too long head and tail stay (errors stand at the end), with
 * a line between them that says how many bytes were left out.
 */
void quote_block(struct text *to, struct view foreign, size_t max_bytes, struct arena *mem);

#endif
