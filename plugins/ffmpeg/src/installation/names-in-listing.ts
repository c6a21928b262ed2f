// The names in what `ffmpeg -encoders`, `-decoders`, `-filters`, `-muxers` and `-demuxers` print: a line for each, with
// flags in front, and several names with commas for a demuxer of several formats.

/** Flags (`d` for a device), one or more spaces, the name. In the legend the name is `=`. */
const ROW = /^ {0,2}[A-Z.|]{1,8}(?: d)?\s+([a-z0-9][\w,.-]*)(?:\s|$)/i

export function namesInListing(text: string): ReadonlySet<string> {
  const names = new Set<string>()
  for (const line of text.split('\n')) {
    const [, row] = ROW.exec(line) ?? []
    for (const name of row?.split(',') ?? []) if (name !== '') names.add(name)
  }
  return names
}
