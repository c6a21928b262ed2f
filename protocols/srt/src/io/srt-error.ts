// The errors that promises of this package reject with, and its methods throw.
import { REJECT, describeRejectCode } from '../handshake/reject-code.js'

/**
 * SRT_REJECTED: the peer refused the call, `rejectCode` says why. SRT_TIMEOUT: it did not answer. SRT_OPTION: an option has
 * a wrong value. SRT_CLOSED: the socket, or the call, was closed.
 */
export type SrtErrorCode = 'SRT_REJECTED' | 'SRT_TIMEOUT' | 'SRT_OPTION' | 'SRT_CLOSED'

export class SrtError extends Error {
  override readonly name = 'SrtError'
  readonly code: SrtErrorCode
  /** What the peer said, see `REJECT`. */
  readonly rejectCode: number | undefined

  constructor(code: SrtErrorCode, message: string, rejectCode?: number) {
    super(message)
    this.code = code
    this.rejectCode = rejectCode
  }
}

/** The error for a call that failed with this code. */
export function callError(rejectCode: number, address: string, port: number): SrtError {
  const where = `${address} port ${port}`
  if (rejectCode === REJECT.timeout) return new SrtError('SRT_TIMEOUT', `no answer from ${where}`, rejectCode)
  return new SrtError('SRT_REJECTED', `${where} refused: ${describeRejectCode(rejectCode)}`, rejectCode)
}
