// Which values the options of FFmpeg may have. Filters and the parameters of encoders can read and write files too, so
// filters are allowed by name, and parameters that name files are refused. FFmpeg removes quotes and backslashes in several
// places, so what they could hide is refused rather than parsed as it does.

const FILTER_OPTIONS: ReadonlySet<string> = new Set(['vf', 'af', 'filter'])

/** They open no files, and add no inputs or outputs. */
const SAFE_FILTERS: ReadonlySet<string> = new Set([
  ...[
    'scale',
    'pad',
    'crop',
    'fps',
    'format',
    'setsar',
    'setdar',
    'setpts',
    'null',
    'yadif',
    'bwdif',
    'hflip',
    'vflip',
  ],
  ...['transpose', 'eq', 'unsharp', 'hqdn3d'],
  ...['aformat', 'volume', 'aresample', 'loudnorm', 'pan', 'atempo', 'asetpts', 'anull'],
])

/** One filter of a graph, with names of its inputs and outputs: `[in]scale@a=640:-2[out]`. */
const FILTER = /^\s*(?:\[[\w:]+\]\s*)*([a-z0-9_]+)(?:@\w+)?\s*(?:=([^[\]]*))?(?:\[\w+\]\s*)*$/

/** `-x264-params`, `-x264opts`, `-x265-params`, `-svtav1-params` and so on: `key=value:key=value`. */
const PARAMETER_OPTION = /(?:params|opts)$/

/** Parameters of encoders that name files, besides those with `file` in their names. */
const FILE_KEYS: ReadonlySet<string> = new Set([
  ...['stats', 'dump-yuv', 'csv', 'recon', 'scaling-list', 'dhdr10-info', 'dolby-vision-rpu', 'opencl-clbin'],
])

/** Undefined if all is well; else what is wrong, for `must ...`. `option`: its name without a stream. */
export function faultOfValue(option: string, value: string): string | undefined {
  if (FILTER_OPTIONS.has(option)) return faultOfFilters(value)
  if (PARAMETER_OPTION.test(option)) return faultOfParameters(value)
  return undefined
}

/** Names of the filters in arguments without faults. */
export function filtersIn(args: readonly string[]): readonly string[] {
  const graphs = args.filter((_, at) => FILTER_OPTIONS.has(/^-(\w+)/.exec(args[at - 1] ?? '')?.[1] ?? ''))
  return graphs.flatMap((graph) => graph.split(/[,;]/)).flatMap((part) => FILTER.exec(part)?.[1] ?? [])
}

/** Filters begin at some of the commas and semicolons: what follows any of them must be one, in quotes too. */
function faultOfFilters(graph: string): string | undefined {
  for (const part of graph.split(/[,;]/)) {
    const [, name = '', options = ''] = FILTER.exec(part) ?? []
    if (!SAFE_FILTERS.has(name)) {
      return `must hold only filters that use no files, without a comma in their options: "${part}" is not one`
    }
    const plain = withoutQuotes(options)
    // FFmpeg reads the value of /name=FILE from the file.
    if (/(?:^|[:=])\s*\//.test(plain) || /file\w*\s*=/i.test(plain)) return `must not name files: "${part}" does`
  }
  return undefined
}

function faultOfParameters(value: string): string | undefined {
  for (const part of withoutQuotes(value).split(':')) {
    const [name = ''] = part.split('=')
    const key = name.trim().toLowerCase().replaceAll('_', '-')
    if (FILE_KEYS.has(key) || key.includes('file') || /^analysis-(?:save|load|reuse)/.test(key)) {
      return `must not name files: "${part}" does`
    }
  }
  return undefined
}

function withoutQuotes(text: string): string {
  return text.replaceAll(/['"\\]/g, '')
}
