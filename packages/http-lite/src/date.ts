// The Date field of replies, made once a second and only while replies are sent (RFC 9110 §6.6.1).
// The one file of the engine's neighbourhood that looks at the clock.

let field: string | undefined;

/** The whole field line for now, `"Date: Tue, 15 Nov 1994 08:12:31 GMT\r\n"`. */
export function dateField(): string {
  return field ?? renew();
}

function renew(): string {
  const now = new Date();
  field = `Date: ${now.toUTCString()}\r\n`;
  // It stays right up to the end of this second; then the next reply makes a new one.
  setTimeout(() => {
    field = undefined;
  }, 1000 - now.getMilliseconds()).unref();
  return field;
}

/** IMF-fixdate, as all dates in fields are sent (RFC 9110 §5.6.7). */
export function formatDate(date: Date): string {
  return date.toUTCString();
}

/** A date out of a field, in IMF-fixdate; `undefined` for the obsolete forms and for what is no date. */
export function parseDate(text: string): Date | undefined {
  const date = new Date(text);
  return date.toUTCString() === text ? date : undefined;
}
