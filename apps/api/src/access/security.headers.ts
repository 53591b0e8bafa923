const ALWAYS = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
};

/** Of answers that are no pages: a browser that is made to show one runs nothing of it, and keeps none. */
export const API_HEADERS: Readonly<Record<string, string>> = {
  ...ALWAYS,
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cache-control': 'no-store',
};

/** Of the board, whose page has styles in it, and asks for fonts of elsewhere that it does without. */
export const BOARD_HEADERS: Readonly<Record<string, string>> = {
  ...ALWAYS,
  'content-security-policy': [
    "default-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; '),
};

/** Of the console, which brings everything it needs. */
export const CONSOLE_HEADERS: Readonly<Record<string, string>> = {
  ...ALWAYS,
  'content-security-policy': [
    "default-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; '),
};

/** Of a page of ours. @param styleHash of its one style, as `'sha256-...'` */
export function pageHeaders(styleHash: string): Record<string, string> {
  return {
    ...API_HEADERS,
    'content-security-policy': `default-src 'none'; style-src ${styleHash}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  };
}
