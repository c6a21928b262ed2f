// Reads a command line as ffmpeg does: every option has a value but flags, and whatever is left is an output.

const FLAGS: ReadonlySet<string> = new Set([
  ...['-copyts', '-sn', '-dn', '-vn', '-an', '-y', '-n', '-re', '-start_at_zero', '-accurate_seek', '-shortest'],
  ...['-autorotate', '-noautorotate', '-bitexact', '-report', '-hide_banner', '-nostdin', '-stdin', '-autoscale'],
])

/** Options that read or write something, or change which inputs and outputs there are. */
const WATCHED =
  /^-(?:\/.*|f|progress|report|vstats.*|sdp_file|passlogfile.*|attach|dump_attachment.*|filter_script.*|filter_complex_script|y|n|stats.*|pass|target|lavfi|print_graphs.*|enc_stats.*|mux_stats.*)$/

export interface CommandParts {
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** Options that should not be there, apart from the formats of the one input and the one output. */
  readonly others: readonly string[]
}

export function ffmpegFlags(args: readonly string[]): CommandParts {
  const parts = { inputs: [] as string[], outputs: [] as string[], others: [] as string[] }
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!
    if (!arg.startsWith('-') || arg === '-') {
      parts.outputs.push(arg)
      continue
    }
    const isFormat = arg === '-f' && args[at + 1] === 'mpegts'
    if (WATCHED.test(arg) && !isFormat) parts.others.push(arg)
    if (FLAGS.has(arg)) continue
    const value = args[++at]
    if (arg === '-i') parts.inputs.push(value ?? '')
  }
  return parts
}
