// Why nothing plays, in a sentence, and whether the page still waits for something.
import type { Trouble } from './playback.js'

export interface TroubleText {
  readonly sentence: string
  /** Nothing is expected to change soon. */
  readonly isFinal: boolean
}

export function troubleText(trouble: Trouble, formats: string | undefined, isOnline: boolean): TroubleText {
  if (trouble.kind === 'formats') {
    return { sentence: formats ?? 'This browser cannot play the formats of this channel.', isFinal: true }
  }
  if (trouble.kind === 'media') return { sentence: 'The picture is damaged. Starting again…', isFinal: false }
  return networkText(trouble.status, trouble.answer, isOnline)
}

function networkText(status: number, answer: string, isOnline: boolean): TroubleText {
  if (status === 401 || status === 403) {
    return { sentence: 'You may not watch this channel, or no longer: open its link again.', isFinal: true }
  }
  if (status === 404 || status === 410) return { sentence: 'There is no channel here at the moment.', isFinal: false }
  if (answer.startsWith('refused')) {
    return { sentence: 'Too many people are watching at the moment. Waiting for a place…', isFinal: false }
  }
  if (status >= 500) return { sentence: 'The channel is off the air. Waiting for it to return…', isFinal: false }
  if (!isOnline) return { sentence: 'You are offline. Waiting for the network…', isFinal: false }
  return { sentence: 'The server cannot be reached. Trying again…', isFinal: false }
}
