// Filters among the further options of a rendition. ffmpeg takes none of them beside a graph, so they become a part of it.

const VIDEO = /^-(?:vf|filter:v(?::0)?)$/
const AUDIO = /^-(?:af|filter:a)$/
/** For all streams, or for one of several: there is no place for it. */
const OTHER = /^-(?:filter|vf|af)(?::|$)/

export interface GivenFilters {
  /** Chains, in the order in which they were given. */
  readonly video: readonly string[]
  readonly audio: readonly string[]
  /** The other options. */
  readonly args: readonly string[]
}

/** `extraArgs`: without faults. */
export function givenFilters(extraArgs: readonly string[]): GivenFilters {
  const [video, audio, args]: string[][] = [[], [], []]
  for (let at = 0; at < extraArgs.length; at++) {
    const arg = extraArgs[at] ?? ''
    const chains = VIDEO.test(arg) ? video : AUDIO.test(arg) ? audio : undefined
    if (chains === undefined) args!.push(arg)
    else chains.push(extraArgs[++at] ?? '')
  }
  return { video: video!, audio: audio!, args: args! }
}

/** Undefined if they fit in a graph; else what is wrong, for `must ...`. */
export function faultOfFilters(extraArgs: readonly string[]): string | undefined {
  const { video, audio, args } = givenFilters(extraArgs)
  const other = args.find((arg) => OTHER.test(arg))
  if (other !== undefined) return `must say -vf or -af instead of ${other}`
  const graph = [...video, ...audio].find((chain) => /[[\];]/.test(chain))
  return graph === undefined ? undefined : `must hold chains of filters without labels: "${graph}" is a graph`
}
