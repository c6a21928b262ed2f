// What to do after a fatal error of hls.js, and when. Pure: the time and the chance come in.

export interface RecoveryState {
  /** Errors in a row, without a segment in between. */
  readonly failures: number
  /** Refusals in a row: the viewer may not watch. */
  readonly refusals: number
  /** When media errors were mended last, newest first. */
  readonly mediaErrorsMs: readonly number[]
}

export interface FatalError {
  readonly nowMs: number
  readonly isNetwork: boolean
  readonly isUnplayable: boolean
  /** Of the response; 0 if there was none. */
  readonly status: number
  /** The multivariant playlist has been read. */
  readonly hasLevels: boolean
  /** 0 to 1. */
  readonly random: number
}

export interface Recovery {
  readonly state: RecoveryState
  readonly action: 'startLoad' | 'loadSource' | 'recoverMedia' | 'rebuild'
  readonly delayMs: number
}

const FIRST_DELAY_MS = 700
const GROWTH = 1.3
const MOST_DELAY_MS = 3000
/** Of a viewer who may not watch, and of a stream that cannot be played. */
const SLOW_DELAY_MS = 10_000
/** A second media error within this time needs more than the first. */
const MEDIA_ERROR_MS = 5000
/** Those playlists are gone, or are no longer for this viewer: the first one leads to others. */
const LOST = new Set([401, 403, 404, 410])
const REFUSED = new Set([401, 403])
/** After this many refusals it is not worth asking often. */
const QUICK_REFUSALS = 3

/** `before`: media errors are remembered. */
export function startRecovery(before?: RecoveryState): RecoveryState {
  return { failures: 0, refusals: 0, mediaErrorsMs: before?.mediaErrorsMs ?? [] }
}

export function nextRecovery(before: RecoveryState, error: FatalError): Recovery {
  const failures = before.failures + 1
  if (error.isUnplayable) {
    return { state: { ...before, failures }, action: 'rebuild', delayMs: jittered(SLOW_DELAY_MS, error) }
  }
  if (!error.isNetwork) return mendMedia({ ...before, failures }, error)
  const refusals = REFUSED.has(error.status) ? before.refusals + 1 : 0
  return {
    state: { ...before, failures, refusals },
    // What is buffered plays on meanwhile, unless the first playlist is loaded again.
    action: error.hasLevels && !LOST.has(error.status) ? 'startLoad' : 'loadSource',
    delayMs: jittered(refusals > QUICK_REFUSALS ? SLOW_DELAY_MS : delayOf(failures), error),
  }
}

function mendMedia(state: RecoveryState, error: FatalError): Recovery {
  const recent = state.mediaErrorsMs.filter((atMs) => error.nowMs - atMs < MEDIA_ERROR_MS)
  return {
    state: { ...state, mediaErrorsMs: [error.nowMs, ...recent] },
    action: recent.length === 0 ? 'recoverMedia' : 'rebuild',
    delayMs: recent.length === 0 ? 0 : jittered(delayOf(recent.length), error),
  }
}

function delayOf(failures: number): number {
  return Math.min(MOST_DELAY_MS, FIRST_DELAY_MS * GROWTH ** (failures - 1))
}

/** A thousand viewers do not come back in the same moment. */
function jittered(delayMs: number, { random }: FatalError): number {
  return delayMs * (0.75 + random / 2)
}
