// Why a connection is refused. The handshake type of the answer carries 1000 + code (libsrt's docs/API/rejection-codes).
// Codes from 1000 are those of access control (HTTP statuses + 1000), from 2000 those of the application.

/** Codes of SRT itself, and of access control. */
export const REJECT = {
  system: 1,
  peer: 2,
  resource: 3,
  rogue: 4,
  backlog: 5,
  internal: 6,
  closed: 7,
  version: 8,
  badSecret: 10,
  unsecure: 11,
  messageApi: 12,
  congestion: 13,
  filter: 14,
  group: 15,
  timeout: 16,
  crypto: 17,
  badRequest: 1400,
  unauthorized: 1401,
  overload: 1402,
  forbidden: 1403,
  notFound: 1404,
  badMode: 1405,
  unacceptable: 1406,
  conflict: 1409,
  unsupportedMedia: 1415,
  locked: 1423,
  failedDependency: 1424,
  internalServerError: 1500,
  unimplemented: 1501,
  badGateway: 1502,
  down: 1503,
  unsupportedVersion: 1505,
  noRoom: 1507,
} as const

/** Codes above it do not fit the convention, and are sent as `REJECT.peer`. */
const LARGEST_CODE = 0x7fff_ffff - 1000
const WIRE_OFFSET = 1000

const NAMES: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(REJECT).map(([name, code]) => [code, name]),
)

/** Returns the handshake type that rejects with `code`. */
export function rejectTypeOf(code: number): number {
  const isValid = Number.isInteger(code) && code >= 0 && code <= LARGEST_CODE
  return WIRE_OFFSET + (isValid ? code : REJECT.peer)
}

/** Returns the code in a handshake type, or undefined if the type rejects nothing. */
export function rejectCodeOf(type: number): number | undefined {
  return type >= WIRE_OFFSET && type < 0x8000_0000 ? type - WIRE_OFFSET : undefined
}

/** Returns the code with its name, for messages: `1404 (notFound)`. */
export function describeRejectCode(code: number): string {
  const name = NAMES[code]
  return name === undefined ? String(code) : `${code} (${name})`
}
