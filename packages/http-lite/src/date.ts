// Dates in fields. Our own Date field is made once a second and only while replies are sent (RFC 9110 §6.6.1).
// The one file of the engine's neighbourhood that looks at the clock.

let field: string | undefined;
/** The time that the field tells, and a fraction of its second, in milliseconds. */
let told = 0;

/** The whole field line for now, `"Date: Tue, 15 Nov 1994 08:12:31 GMT\r\n"`. */
export function dateField(): string {
  return field ?? renew();
}

function renew(): string {
  const now = new Date();
  told = now.getTime();
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

/** This date, or now where it is later: in the field of a reply it is then no later than Date. */
export function notAfterNow(date: Date): Date {
  // The timer that makes a new field may be late, so what the field tells counts, and not the clock.
  if (field === undefined) renew();
  return date.getTime() > told ? new Date(told) : date;
}

/** rfc850-date: the whole name of a day, two digits of the year. */
const RFC_850 =
  /^(Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday), ([0-9]{2})-([A-Z][a-z]{2})-([0-9]{2}) ([0-9:]{8}) GMT$/;
/** asctime-date: no zone, and a space for the first digit of a small day. */
const ASCTIME = /^([A-Z][a-z]{2}) ([A-Z][a-z]{2}) ([0-9]{2}| [0-9]) ([0-9:]{8}) ([0-9]{4})$/;

/** A date out of a field, in any of the three forms (RFC 9110 §5.6.7); `undefined` for what is no date. */
export function parseDate(text: string): Date | undefined {
  return parseFixdate(text) ?? parseRfc850(text) ?? parseAsctime(text);
}

/** What is the same when it is written again: so its parts fit together, the day of the week too. */
function parseFixdate(text: string): Date | undefined {
  const date = new Date(text);
  return date.toUTCString() === text ? date : undefined;
}

/** A year that appears to be more than 50 years ahead is the last one in the past with these two digits. */
function parseRfc850(text: string): Date | undefined {
  const match = RFC_850.exec(text);
  if (match === null) return undefined;
  const [, day = "", date = "", month = "", digits = "", time = ""] = match;
  const latest = new Date();
  latest.setUTCFullYear(latest.getUTCFullYear() + 50);
  const end = latest.getUTCFullYear();
  const year = end - ((end - Number(digits)) % 100);
  const fixdate = (year: number): string => `${day.slice(0, 3)}, ${date} ${month} ${year} ${time} GMT`;
  // What is compared is the time alone: `new Date` does not look at the day of the week.
  return parseFixdate(fixdate(new Date(fixdate(year)) > latest ? year - 100 : year));
}

function parseAsctime(text: string): Date | undefined {
  const match = ASCTIME.exec(text);
  if (match === null) return undefined;
  const [, day = "", month = "", date = "", time = "", year = ""] = match;
  return parseFixdate(`${day}, ${date.replace(" ", "0")} ${month} ${year} ${time} GMT`);
}
