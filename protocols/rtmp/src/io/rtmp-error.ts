// The errors that promises of this package reject with, and its methods throw.
import type { End, EndCode } from '../session/end.js'
import type { Refusal } from '../session/status.js'

/**
 * RTMP_BAD_NAME: somebody else publishes under the name. RTMP_NOT_FOUND: there is no such stream. RTMP_REJECTED: the server
 * does not want us. RTMP_TIMEOUT: no answer. RTMP_PROTOCOL: the peer speaks no RTMP, or breaks its rules. RTMP_CLOSED: the
 * connection has ended. RTMP_UNREACHABLE: there is no connection. RTMP_OPTION: an option or the URL is wrong.
 */
export type RtmpErrorCode =
  | 'RTMP_BAD_NAME'
  | 'RTMP_NOT_FOUND'
  | 'RTMP_REJECTED'
  | 'RTMP_TIMEOUT'
  | 'RTMP_PROTOCOL'
  | 'RTMP_CLOSED'
  | 'RTMP_UNREACHABLE'
  | 'RTMP_OPTION'

const REFUSAL_CODES = {
  badName: 'RTMP_BAD_NAME',
  rejected: 'RTMP_REJECTED',
  notFound: 'RTMP_NOT_FOUND',
} as const satisfies Record<Refusal, RtmpErrorCode>

const END_CODES = {
  closed: 'RTMP_CLOSED',
  peer: 'RTMP_CLOSED',
  refused: 'RTMP_REJECTED',
  foreign: 'RTMP_PROTOCOL',
  protocol: 'RTMP_PROTOCOL',
  handshakeTimeout: 'RTMP_TIMEOUT',
  setupTimeout: 'RTMP_TIMEOUT',
  pingTimeout: 'RTMP_TIMEOUT',
  writeTimeout: 'RTMP_TIMEOUT',
} as const satisfies Record<EndCode, RtmpErrorCode>

export class RtmpError extends Error {
  override readonly name = 'RtmpError'
  readonly code: RtmpErrorCode

  constructor(code: RtmpErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** The server has refused. */
export function refusalError(refusal: Refusal, description: string): RtmpError {
  return new RtmpError(REFUSAL_CODES[refusal], description === '' ? 'the server refuses' : description)
}

/** The connection has ended. */
export function endError({ code, detail }: End): RtmpError {
  return new RtmpError(END_CODES[code], detail === '' ? `the connection has ended: ${code}` : detail)
}
