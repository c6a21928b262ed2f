// The parameters of libx265: those of the node and those that are given are one list, since FFmpeg takes the last of several.
import { optionsIn } from './argument-rules.js'

/** No scene cuts, and key frames that a decoder can start at. */
const OWN = 'scenecut=0:open-gop=0:keyint=-1:log-level=warning'
const NAME = 'x265-params'

/** `given`: arguments without faults. */
export function x265Parameters(given: readonly string[]): readonly string[] {
  const lists = optionsIn(given).flatMap(({ name, value }) => (name === NAME ? (value ?? []) : []))
  return ['-x265-params:v', [OWN, ...lists].join(':')]
}

/** The arguments that are no part of that list. */
export function withoutX265Parameters(given: readonly string[]): readonly string[] {
  const options = optionsIn(given).filter(({ name }) => name !== NAME)
  return options.flatMap(({ text, value }) => (value === undefined ? [text] : [text, value]))
}
