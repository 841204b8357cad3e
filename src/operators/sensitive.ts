/** Things that are not for everybody's eyes. */
export type Sensitive = 'email' | 'cardNumber' | 'ip' | 'bearerToken';

/** The text with everything of a kind replaced. Time grows with the length of the text only: all repetitions are bounded. */
export type Find = (text: string, replace: (found: string) => string) => string;

const EMAIL = /[\p{L}\p{N}._%+-]{1,64}@(?:[\p{L}\p{N}-]{1,63}\.){1,8}\p{L}{2,24}/gu;

function findEmail(text: string, replace: (found: string) => string): string {
  return text.includes('@') ? text.replace(EMAIL, replace) : text;
}

const BEARER = /\b(bearer\s{1,8})([\w.~+/-]{8,}=*)/gi;

function findBearerToken(text: string, replace: (found: string) => string): string {
  return text.replace(BEARER, (_, scheme: string, token: string) => scheme + replace(token));
}

const BYTE = String.raw`(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)`;
// Neither a part of a longer number nor of a longer row of numbers, as a version is.
const IPV4 = new RegExp(String.raw`(?<![\w.])(?:${BYTE}\.){3}${BYTE}(?!\.?\w)`, 'g');
const IS_IPV4 = new RegExp(String.raw`^(?:${BYTE}\.){3}${BYTE}$`);
const MAYBE_IPV6 = /(?<![\w:.])[0-9a-f]{0,4}:[0-9a-f:.]{1,41}(?!\w)/gi;

/** RFC 4291, 2.2: eight groups, one run of zeros as `::`, the last two perhaps as IPv4. */
function isIpv6(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2 || text === '::') return false;
  let groups = 0;
  for (const [at, half] of halves.entries()) {
    const parts = half === '' ? [] : half.split(':');
    for (const [place, part] of parts.entries()) {
      const isLast = at === halves.length - 1 && place === parts.length - 1;
      if (/^[0-9a-f]{1,4}$/i.test(part)) groups++;
      else if (isLast && IS_IPV4.test(part)) groups += 2;
      else return false;
    }
  }
  return halves.length === 2 ? groups < 8 : groups === 8;
}

function findIp(text: string, replace: (found: string) => string): string {
  const withoutV6 = text.replace(MAYBE_IPV6, (candidate) => {
    // What ends a sentence, or begins what is said about the address.
    const address = candidate.replace(/\.+$/, '').replace(/(?<!:):$/, '');
    return isIpv6(address) ? replace(address) + candidate.slice(address.length) : candidate;
  });
  return withoutV6.replace(IPV4, replace);
}

/** How card numbers begin, and how long they then are. Source: ISO/IEC 7812 ranges as the card schemes publish them. */
const CARDS: readonly (readonly [begins: RegExp, lengths: readonly number[]])[] = [
  [/^4/, [13, 16, 19]],
  [/^(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720|220[0-4])/, [16]],
  [/^3[47]/, [15]],
  [/^3(?:0[0-5]|[689])/, [14, 16, 19]],
  [/^(?:35|5[06-8]|6)/, [16, 17, 18, 19]],
];

/** Luhn's test (ISO/IEC 7812-1, Annex B). */
function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let at = 0; at < digits.length; at++) {
    const digit = Number(digits[digits.length - 1 - at]);
    const doubled = at % 2 === 0 ? digit : digit * 2;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

function isCardNumber(digits: string): boolean {
  return (
    CARDS.some(([begins, lengths]) => lengths.includes(digits.length) && begins.test(digits)) && passesLuhn(digits)
  );
}

const MAX_CARD_DIGITS = 19;
const DIGITS = /\d(?:[ -]?\d){12,}/g;

/** Card numbers in groups of digits: other numbers may stand beside them. */
function findCardsIn(run: string, replace: (found: string) => string): string {
  const parts = run.split(/([ -])/);
  let result = '';
  for (let from = 0; from < parts.length; from += 2) {
    let digits = '';
    let until = -1;
    for (let to = from; until < 0 && to < parts.length && digits.length < MAX_CARD_DIGITS; to += 2) {
      digits += parts[to] ?? '';
      if (isCardNumber(digits)) until = to;
    }
    const end = until < 0 ? from : until;
    const own = parts.slice(from, end + 1).join('');
    result += (until < 0 ? own : replace(own)) + (parts[end + 1] ?? '');
    from = end;
  }
  return result;
}

function findCardNumber(text: string, replace: (found: string) => string): string {
  return text.replace(DIGITS, (run) => findCardsIn(run, replace));
}

export const FINDERS: Readonly<Record<Sensitive, Find>> = {
  email: findEmail,
  cardNumber: findCardNumber,
  ip: findIp,
  bearerToken: findBearerToken,
};
