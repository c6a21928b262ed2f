// The YAML of test channels: an input file, optional transforms, and http-ts outputs, on free local ports.

export interface Channel {
  /** Options of the input `file`, as YAML between braces: `path: a.ts, loop: true`. */
  readonly input: string
  /** The transforms between input and outputs. Default `gop`. */
  readonly through?: 'gop' | 'ts' | 'ts-validate' | 'both'
  /** Additional options of the transform `gop`. */
  readonly gop?: string
  /** Additional options of each output, by name; its path is `/<channel>/<output>.ts`. Default: one, `out`. */
  readonly outputs?: Readonly<Record<string, string>>
}

export interface YamlOptions {
  /** Additional keys of `engine:`, between braces. */
  readonly engine?: string
  readonly api?: string
  readonly web?: string
}

const BETWEEN = {
  gop: { from: 'gops', transforms: ['gops: { type: gop, from: main }'] },
  ts: { from: 'main', transforms: [] },
  'ts-validate': { from: 'check', transforms: ['check: { type: ts-validate, from: main }'] },
  both: { from: 'gops', transforms: ['check: { type: ts-validate, from: main }', 'gops: { type: gop, from: check }'] },
} as const

/** Ids of the nodes: `main`, `check`, `gops`, and the names of the outputs. */
export function engineYaml(channels: Readonly<Record<string, Channel>>, options: YamlOptions = {}): string {
  const { engine = 'drain: 5s', api = '127.0.0.1:0', web = '127.0.0.1:0' } = options
  return [
    'version: 1',
    `engine: { api: { address: "${api}" }, stateDir: state, ${engine} }`,
    `listeners: { web: { address: "${web}" } }`,
    'services: { metrics: { type: prometheus, listener: api, path: /metrics } }',
    'pipelines:',
    ...Object.entries(channels).flatMap(([name, channel]) => channelLines(name, channel)),
    '',
  ].join('\n')
}

function channelLines(name: string, { input, through = 'gop', gop = '', outputs = { out: '' } }: Channel): string[] {
  const { from, transforms } = BETWEEN[through]
  return [
    `  ${name}:`,
    `    inputs: { main: { type: file, ${input} } }`,
    ...(transforms.length === 0
      ? []
      : [
          '    transforms:',
          ...transforms.map((line) => `      ${gop === '' ? line : line.replace('type: gop', `type: gop, ${gop}`)}`),
        ]),
    '    outputs:',
    ...Object.entries(outputs).map(([output, more]) => {
      const rest = more === '' ? '' : `, ${more}`
      return `      ${output}: { type: http-ts, from: ${from}, listener: web, path: /${name}/${output}.ts${rest} }`
    }),
  ]
}
