// Which arguments the options `inputArgs`, `outputArgs` and `extraArgs` may hold. FFmpeg takes every argument that is neither an option
// nor the value of one for a file to write. So each option has exactly one value, except flags, which have none; and
// options that name further inputs or outputs, write files, or change what the engine reads, are refused.
import { faultOfValue } from './argument-values.js'

/** Options of the program that have no value, of FFmpeg 4 to 8. `-h` and the like, which end it at once, are below. */
const FLAGS: ReadonlySet<string> = new Set([
  ...['re', 'copyts', 'start_at_zero', 'accurate_seek', 'autorotate', 'autoscale', 'bitexact', 'shortest'],
  ...['find_stream_info', 'ignore_unknown', 'copy_unknown', 'recast_media', 'fix_sub_duration', 'xerror'],
  ...[
    'fix_sub_duration_heartbeat',
    'display_hflip',
    'display_vflip',
    'qphist',
    'psnr',
    'copyinkf',
    'force_fps',
    'auto_conversion_filters',
    'deinterlace',
    'intra',
  ],
  ...['vn', 'an', 'sn', 'dn'],
])

/** They end FFmpeg, write files, read files of arguments, add inputs or outputs, or change what the engine sees of it. */
const REFUSED: ReadonlySet<string> = new Set([
  ...['i', 'y', 'n', 'f', 'map', 'attach', 'dump_attachment', 'filter_complex', 'lavfi', 'filter_complex_script'],
  ...[
    'filter_script',
    'report',
    'progress',
    'stats',
    'stats_period',
    'loglevel',
    'v',
    'hide_banner',
    'stdin',
    'vstats',
  ],
  ...['vstats_file', 'vstats_version', 'passlogfile', 'pass', 'sdp_file', 'print_graphs', 'print_graphs_file'],
  ...[
    'print_graphs_format',
    'benchmark',
    'benchmark_all',
    'dump',
    'hex',
    'debug_ts',
    'timelimit',
    'cpuflags',
    'cpucount',
  ],
  ...[
    'fpre',
    'vpre',
    'apre',
    'spre',
    'pre',
    'target',
    'enc_stats_pre',
    'enc_stats_post',
    'mux_stats',
    'max_error_rate',
  ],
  ...[
    'stats_enc_pre',
    'stats_enc_post',
    'stats_mux_pre',
    'map_metadata',
    'map_chapters',
    'opencl_bench',
    'vaapi_device',
  ],
  ...['h', '?', 'help', 'L', 'version', 'buildconf', 'formats', 'muxers', 'demuxers', 'devices', 'codecs', 'decoders'],
  ...['encoders', 'bsfs', 'protocols', 'filters', 'pix_fmts', 'layouts', 'sample_fmts', 'dispositions', 'colors'],
  ...[
    'sources',
    'sinks',
    'hwaccels',
    'max_alloc',
    'graph_file',
    'protocol_whitelist',
    'protocol_blacklist',
    'ffmpeg',
    'o',
  ],
  // Of demuxers and protocols, other files: certificates and keys of TLS may be named.
  ...['private_key', 'assetmaps', 'sub_name', 'use_absolute_path', 'enable_drefs'],
])

/** `-name`, and for streams `-name:v:0`. A slash in front of the name would read the value from a file. */
const OPTION = /^-([a-zA-Z?][\w-]*)(?::[\w:#]+)?$/
const LONGEST = 4096

/** Undefined if all is well; else what is wrong, for `must ...`. */
export function faultOfArguments(args: readonly string[]): string | undefined {
  for (let at = 0; at < args.length; at++) {
    const text = args[at] ?? ''
    const [, name] = OPTION.exec(text) ?? []
    if (name === undefined) return `must be options of FFmpeg, each with its value: "${text}" is not one`
    const base = name.startsWith('no') && isKnown(name.slice(2)) ? name.slice(2) : name
    if (REFUSED.has(base)) return `must not hold ${text}, which is not for a node to set`
    if (FLAGS.has(base)) continue
    const value = args[++at]
    if (value === undefined) return `must give ${text} a value`
    if (value.length > LONGEST) return `must give ${text} a shorter value`
    const fault = faultOfValue(base, value)
    if (fault !== undefined) return fault
  }
  return undefined
}

export interface GivenOption {
  /** As it is given. */
  readonly text: string
  /** Without a stream. */
  readonly name: string
  /** Undefined for a flag. */
  readonly value: string | undefined
}

/** Of arguments without faults. */
export function optionsIn(args: readonly string[]): readonly GivenOption[] {
  const options: GivenOption[] = []
  for (let at = 0; at < args.length; at++) {
    const text = args[at] ?? ''
    const [, whole = ''] = OPTION.exec(text) ?? []
    const name = whole.startsWith('no') && isKnown(whole.slice(2)) ? whole.slice(2) : whole
    options.push({ text, name, value: FLAGS.has(name) ? undefined : args[++at] })
  }
  return options
}

function isKnown(name: string): boolean {
  return FLAGS.has(name) || REFUSED.has(name)
}
