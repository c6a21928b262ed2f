// The YAML of one live channel.

export interface LiveYamlOptions {
  /** Options of the input. Default `loop: true`. */
  readonly main?: string
  /** Additional options of the output. */
  readonly ts?: string
  /** Default `5s`. */
  readonly drain?: string
  /** The listener of the output. Default `web`. */
  readonly listener?: string
}

/** `main` (the file main.ts) -> `check` -> `gops` -> `ts` at /live.ts. The text ends inside `pipelines`. */
export function liveYaml(options: LiveYamlOptions = {}): string {
  const { main = 'loop: true', ts, drain = '5s', listener = 'web' } = options
  return `
version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state, drain: ${drain} }
listeners: { web: { address: "127.0.0.1:0" } }
services: { metrics: { type: prometheus, listener: api, path: /metrics } }
pipelines:
  one:
    inputs:
      main: { type: file, path: main.ts, ${main} }
    transforms:
      check: { type: ts-validate, from: main }
      gops: { type: gop, from: check }
    outputs:
      ts: { type: http-ts, from: gops, listener: ${listener}, path: /live.ts${ts === undefined ? '' : `, ${ts}`} }
`
}
