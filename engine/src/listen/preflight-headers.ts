// The answer to a preflight of a browser (Fetch standard, section 3.2): which requests of other origins a live path takes.

/** How long a browser need not ask again. */
const PREFLIGHT_SECONDS = '600'
const READING = ['GET', 'HEAD']
/** Access-Control-Request-Headers: names of headers, separated by commas. */
const HEADER_NAMES = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+(?: ?, ?[A-Za-z0-9!#$%&'*+.^_`|~-]+){0,31}$/

/** Beside Access-Control-Allow-Origin. `asked`: the value of Access-Control-Request-Headers. */
export function preflightHeaders(
  asked: string | undefined,
  methods: readonly string[] = READING,
): Readonly<Record<string, string>> {
  return {
    'Access-Control-Allow-Methods': methods.join(', '),
    'Access-Control-Allow-Headers': asked !== undefined && HEADER_NAMES.test(asked) ? asked : 'Authorization, Range',
    'Access-Control-Max-Age': PREFLIGHT_SECONDS,
    Vary: 'Origin, Access-Control-Request-Headers',
  }
}
