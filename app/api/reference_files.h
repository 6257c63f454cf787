/*
 * The files of app/api/reference/, as app/api/reference/embed has compiled them in.
 */
#ifndef APP_API_REFERENCE_FILES_H
#define APP_API_REFERENCE_FILES_H

/* The page, with gaps (lib/template.h), and what it loads. */
extern const char page_html[], reference_css[], reference_js[], icon_svg[];

/* A request in each language, with gaps. */
extern const char curl_sh[], curl_php[], streams_php[], fetch_mjs[], urllib_py[];

/* The OpenAPI document, with gaps. */
extern const char openapi_json[];

#endif
