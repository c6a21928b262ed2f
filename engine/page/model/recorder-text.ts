// What the recorder of an input does, in lines of text.
import { shortBytes, shortSpan } from './amounts.js'
import type { NodeStatus } from './shapes.js'

export interface RecorderLine {
  readonly text: string
  readonly isBad: boolean
}

/** None for a node that has no recorder. */
export function recorderLines({ recorder }: NodeStatus, nowMs: number): readonly RecorderLine[] {
  if (recorder === undefined) return []
  const { keepSeconds, heldSeconds, heldBytes, on, isWriting, pending, last, failure } = recorder
  const ago = (at: string): string => `${shortSpan((nowMs - Date.parse(at)) / 1000)} ago`
  const line = (text: string, isBad = false): RecorderLine => ({ text, isBad })
  return [
    line(`on: keeps ${keepSeconds} s, holds ${heldSeconds} s in ${shortBytes(heldBytes)}B; records ${on.join(', ')}`),
    ...(pending === undefined ? [] : [line(`waits for the seconds after ${pending.on.join(', ')}: ${pending.file}`)]),
    ...(isWriting ? [line('writes a recording')] : []),
    ...(last === undefined
      ? [line('nothing recorded yet')]
      : [
          line(
            `last ${ago(last.at)} (${last.on.join(', ')}): ${last.seconds} s, ${shortBytes(last.bytes)}B, ${last.file}`,
          ),
        ]),
    ...(failure === undefined ? [] : [line(`failed ${ago(failure.at)}: ${failure.why}`, true)]),
  ]
}
