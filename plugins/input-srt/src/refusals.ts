// SRT's reject codes for what the engine decides, and the labels under which refused callers are counted.
import type { PublisherRefusal } from '@millrace/engine/plugin'
import { REJECT } from '@millrace/srt'

/** Why a caller is refused; labels of counters. */
export const REFUSALS = [
  'stream-id',
  'passphrase',
  'unsupported',
  'unauthorized',
  'forbidden',
  'not-found',
  'bad-mode',
  'busy',
  'full',
  'not-media',
  'offline',
  'failed',
] as const

const REASONS: Readonly<Record<number, (typeof REFUSALS)[number]>> = {
  [REJECT.rogue]: 'stream-id',
  [REJECT.badRequest]: 'stream-id',
  [REJECT.badSecret]: 'passphrase',
  [REJECT.unsecure]: 'passphrase',
  [REJECT.version]: 'unsupported',
  [REJECT.messageApi]: 'unsupported',
  [REJECT.congestion]: 'unsupported',
  [REJECT.filter]: 'unsupported',
  [REJECT.group]: 'unsupported',
  [REJECT.crypto]: 'unsupported',
  [REJECT.unauthorized]: 'unauthorized',
  [REJECT.forbidden]: 'forbidden',
  [REJECT.notFound]: 'not-found',
  [REJECT.badMode]: 'bad-mode',
  [REJECT.conflict]: 'busy',
  [REJECT.overload]: 'full',
  [REJECT.unsupportedMedia]: 'not-media',
  [REJECT.down]: 'offline',
  [REJECT.internalServerError]: 'failed',
}

const CODES: Readonly<Record<PublisherRefusal, number>> = {
  unauthorized: REJECT.unauthorized,
  forbidden: REJECT.forbidden,
  busy: REJECT.conflict,
  overloaded: REJECT.overload,
  failed: REJECT.internalServerError,
  full: REJECT.overload,
  'bad-key': REJECT.notFound,
  closing: REJECT.down,
  'not-media': REJECT.unsupportedMedia,
  offline: REJECT.down,
  replaced: REJECT.conflict,
}

/** `other` for codes that have no label. */
export function reasonOf(code: number): string {
  return REASONS[code] ?? 'other'
}

export function codeOf(refusal: PublisherRefusal): number {
  return CODES[refusal]
}
