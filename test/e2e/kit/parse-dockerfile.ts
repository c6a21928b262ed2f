// The instructions of a Dockerfile, where no Docker runs: https://docs.docker.com/reference/dockerfile/
import assert from 'node:assert/strict'

const KNOWN = new Set([
  ...['FROM', 'WORKDIR', 'COPY', 'RUN', 'LABEL', 'ENV', 'USER', 'VOLUME', 'EXPOSE', 'STOPSIGNAL', 'ENTRYPOINT', 'CMD'],
  'HEALTHCHECK',
])

export interface Stage {
  readonly name: string
  /** Values by instruction, in their order. */
  readonly values: ReadonlyMap<string, readonly string[]>
}

/** Fails on an instruction that does not exist, and on a stage that is named before it is built. */
export function parseDockerfile(text: string): readonly Stage[] {
  const stages: { name: string; values: Map<string, string[]> }[] = []
  for (const line of text.replaceAll('\\\n', ' ').split('\n')) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const [, instruction = '', value = ''] = /^([A-Z]+) +(.+)$/.exec(line) ?? []
    assert.ok(KNOWN.has(instruction), line)
    if (instruction === 'FROM') {
      const [, name = ''] = /^\S+ AS (\w+)$/.exec(value) ?? []
      stages.push({ name, values: new Map() })
      continue
    }
    const stage = stages.at(-1)
    assert.ok(stage !== undefined, `${line}, before FROM`)
    const [, from] = /\bfrom=(\w+)/.exec(value) ?? []
    assert.ok(from === undefined || stages.some(({ name }) => name === from), line)
    stage.values.set(instruction, [...(stage.values.get(instruction) ?? []), value])
  }
  return stages
}

/** Of an instruction in its exec form; the last one counts. */
export function execForm(values: Stage['values'], instruction: string): readonly string[] {
  const value = values.get(instruction)?.at(-1) ?? ''
  return JSON.parse(value.slice(value.indexOf('['))) as readonly string[]
}
