import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { after, before, test } from 'node:test'
import { z } from 'zod'
import { EXAMPLE_DEFINITIONS } from '../../config/example-config.test.js'
import type { Finding, Machine } from '../../doctor/finding.js'
import { defineInput, defineOutput } from '../../plugin/define.js'
import { count, listenerName, size } from '../../plugin/options.js'
import { registryOf } from '../../plugin/registry.js'
import { DELIVERY, SOCKETS } from '../../plugin/tokens.js'
import { keepStreams } from '../cli-streams.test.kit.js'
import { runDoctor } from './doctor.js'

const GOOD: Readonly<Record<string, string>> = {
  '/proc/sys/net/core/rmem_max': '8388608',
  '/proc/sys/net/core/wmem_max': '8388608',
  '/proc/sys/net/core/somaxconn': '4096',
  '/proc/sys/net/ipv4/tcp_wmem': '4096\t16384\t1048576',
  '/proc/sys/net/ipv4/tcp_rmem': '4096\t131072\t6291456',
}

function machine(more: Partial<Machine> & { readonly files?: Readonly<Record<string, string>> } = {}): Machine {
  const { files = {}, ...rest } = more
  return {
    nodeVersion: 'v24.1.0',
    platform: 'linux',
    memoryBytes: 32 * 1024 ** 3,
    descriptorLimit: 100_000,
    read: (path) => ({ ...GOOD, ...files })[path],
    run: (program) => Promise.resolve(`${program} version 5.1.9 Copyright`),
    ...rest,
  }
}

const viewers = defineOutput({
  type: 'viewers',
  summary: 'Serves viewers.',
  consumes: ['ts'],
  inlets: 'one',
  options: z.strictObject({
    listener: listenerName().meta({ description: 'Which socket.' }),
    clients: z.strictObject({ max: count().prefault(0).meta({ description: 'At most.' }) }).prefault({}),
  }),
  inject: { delivery: DELIVERY },
  examples: [],
  open: () => Promise.reject(new Error('not opened here')),
})

let folder = ''

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-doctor-'))
})

after(() => rm(folder, { recursive: true }))

interface Asked {
  readonly yaml?: { readonly web: string; readonly api?: string }
  readonly machine?: Machine
}

async function ask(asked: Asked = {}): Promise<{ code: number; findings: readonly Finding[] }> {
  const streams = keepStreams()
  const files: string[] = []
  if (asked.yaml !== undefined) {
    const { web, api = '127.0.0.1:0' } = asked.yaml
    const path = join(folder, 'live.yaml')
    files.push(path)
    await writeFile(
      path,
      `version: 1
engine: { api: { address: "${api}" }, stateDir: state }
listeners: { web: { address: "${web}" } }
pipelines:
  one:
    inputs: { main: { type: file, path: a.ts } }
    outputs: { ts: { type: viewers, from: main, listener: web } }
`,
    )
  }
  const registry = registryOf([...EXAMPLE_DEFINITIONS, viewers])
  const plugins = () => Promise.resolve({ registry, problems: [] })
  const options = { env: {}, plugins, json: true, folder, machine: asked.machine ?? machine() }
  const code = await runDoctor(files, streams, options)
  assert.equal(streams.errText(), '')
  return { code, findings: JSON.parse(streams.outText()) as readonly Finding[] }
}

function finding(findings: readonly Finding[], check: string): Finding | undefined {
  return findings.find((one) => one.check === check)
}

test('a good machine is ok in every line, with exit code 0', async () => {
  const { code, findings } = await ask({ yaml: { web: '127.0.0.1:0' } })
  assert.deepEqual(
    findings.filter(({ level }) => level !== 'ok'),
    [],
  )
  assert.equal(code, 0)
  assert.equal(finding(findings, 'ffmpeg')?.found, '5.1.9')
  assert.equal(finding(findings, 'stateDir')?.found, `${join(folder, 'state')} will be created`)
})

test('it says what FFmpeg can encode', async () => {
  const list =
    ' V....D libx264              H.264 (codec h264)\n V....D h264_nvenc           H.264\n A....D aac                  AAC\n'
  const run = (program: string, args: readonly string[]): Promise<string> =>
    Promise.resolve(args.includes('-encoders') ? list : `${program} version 5.1.9`)
  const { findings } = await ask({ yaml: { web: '127.0.0.1:0' }, machine: machine({ run }) })
  const { found } = finding(findings, 'encoders of ffmpeg') ?? {}
  assert.equal(found, 'libx264 aac; for hardware, if it is there: h264_nvenc')
})

const faults = [
  { name: 'an old Node', machine: { nodeVersion: 'v20.18.3' }, check: 'Node', level: 'fail', says: /20\.19 or newer/ },
  {
    name: 'a small rmem_max',
    files: { '/proc/sys/net/core/rmem_max': '212992' },
    check: 'net.core.rmem_max',
    level: 'warn',
    says: /sysctl -w net\.core\.rmem_max=/,
  },
  {
    name: 'a small somaxconn',
    files: { '/proc/sys/net/core/somaxconn': '128' },
    check: 'net.core.somaxconn',
    level: 'warn',
    says: /sysctl/,
  },
  {
    name: 'large kernel buffers for the memory',
    machine: { memoryBytes: 1024 ** 3 },
    check: 'net.ipv4.tcp_wmem',
    level: 'warn',
    says: /could hold up to 5000 MiB of kernel memory/,
  },
  {
    name: 'a small tcp_rmem',
    files: { '/proc/sys/net/ipv4/tcp_rmem': '4096 8192 16384' },
    check: 'net.ipv4.tcp_rmem',
    level: 'warn',
    says: /sysctl/,
  },
  {
    name: 'few descriptors',
    machine: { descriptorLimit: 256 },
    check: 'descriptors',
    level: 'warn',
    says: /LimitNOFILE/,
  },
  {
    name: 'a missing tool',
    machine: { run: () => Promise.resolve(undefined) },
    check: 'ffprobe',
    level: 'warn',
    says: /comes with ffmpeg/,
  },
] as const

for (const fault of faults) {
  test(`${fault.name} is reported, with what to do`, async () => {
    const more = { ...('machine' in fault ? fault.machine : {}), ...('files' in fault ? { files: fault.files } : {}) }
    const { code, findings } = await ask({ yaml: { web: '127.0.0.1:0' }, machine: machine(more) })
    const found = finding(findings, fault.check)
    assert.equal(found?.level, fault.level)
    assert.match(found?.advice ?? '', fault.says)
    assert.equal(code, fault.level === 'fail' ? 1 : 0)
  })
}

test('a port in use fails, and its owner is named', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const { port } = server.address() as AddressInfo
    const { code, findings } = await ask({ yaml: { web: `127.0.0.1:${port}` } })
    const found = finding(findings, 'listener web')
    assert.deepEqual([code, found?.level], [1, 'fail'])
    if (process.platform === 'linux')
      assert.match(found?.found ?? '', new RegExp(`is taken by .+ \\(process ${process.pid}\\)`))
  } finally {
    await new Promise((resolve) => server.close(resolve))
  }
})

test('an address of another machine is reported', async () => {
  const { code, findings } = await ask({ yaml: { web: '192.0.2.1:8000' } })
  assert.match(finding(findings, 'listener web')?.found ?? '', /is not an address of this machine/)
  assert.equal(code, 1)
})

test('a state folder that other users can read is a warning', async () => {
  const state = join(folder, 'state')
  await mkdir(state)
  await chmod(state, 0o755)
  const { code, findings } = await ask({ yaml: { web: '127.0.0.1:0' } })
  assert.deepEqual([code, finding(findings, 'stateDir')?.level], [0, 'warn'])
  await rm(state, { recursive: true })
})

test('without files the machine is checked for the default settings', async () => {
  const { findings } = await ask()
  assert.ok(finding(findings, 'listener api') !== undefined)
  assert.equal(finding(findings, 'net.ipv4.tcp_wmem')?.level, 'ok')
})

test('the UDP addresses and interfaces of nodes are tried, and the receive buffers that they want are compared with the limit', async () => {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  const address = `127.0.0.1:${socket.address().port}`
  const receiver = defineInput({
    type: 'receiver',
    summary: 'Receives.',
    produces: 'bytes',
    options: z.strictObject({
      address: z.string().meta({ description: 'Where.' }),
      receiveBuffer: size().meta({ description: 'How much.' }),
      interface: z.string().meta({ description: 'From which network.' }),
    }),
    inject: { sockets: SOCKETS },
    exclusive: (options) => [{ kind: 'udp', address: options.address }],
    examples: [],
    open: () => Promise.reject(new Error('not opened here')),
  })
  const path = join(folder, 'udp.yaml')
  const input = `main: { type: receiver, address: "${address}", receiveBuffer: 16MiB, interface: eth99 }`
  const output = 'ts: { type: viewers, from: main, listener: web }'
  await writeFile(
    path,
    `version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state }
listeners: { web: { address: "127.0.0.1:0" } }
pipelines: { one: { inputs: { ${input} }, outputs: { ${output} } } }
`,
  )
  const streams = keepStreams()
  const registry = registryOf([...EXAMPLE_DEFINITIONS, viewers, receiver])
  const plugins = () => Promise.resolve({ registry, problems: [] })
  const code = await runDoctor([path], streams, { env: {}, plugins, json: true, folder, machine: machine() })
  socket.close()
  const findings = JSON.parse(streams.outText()) as readonly Finding[]
  assert.equal(code, 1)
  assert.match(finding(findings, 'UDP of one/main')?.found ?? '', /is taken/)
  const network = finding(findings, 'interface of one/main')
  assert.deepEqual([network?.level, network?.found.slice(0, 21)], ['fail', 'eth99 does not exist;'])
  const buffer = finding(findings, 'receive buffer of one/main')
  assert.deepEqual([buffer?.level, buffer?.found], ['warn', '8 MiB instead of 16 MiB'])
  assert.match(buffer?.advice ?? '', /sysctl -w net\.core\.rmem_max=16777216$/)
})

test('with --no-env, a node whose options are unknown demands no program', async () => {
  const runner = defineInput({
    type: 'runner',
    summary: 'Runs a program.',
    produces: 'ts',
    options: z.strictObject({
      command: z.array(z.string()).meta({ description: 'What it runs.', reload: 'source' }),
    }),
    programs: ({ command: [program = ''] }) => [{ program }],
    examples: [],
    open: () => Promise.reject(new Error('not opened here')),
  })
  const path = join(folder, 'unknown.yaml')
  const inputs = 'a: { type: runner, command: ["${PROGRAM}"] }, b: { type: runner, command: [nowhere-at-all] }'
  const output = 'ts: { type: viewers, from: a, listener: api }'
  await writeFile(
    path,
    `version: 1
engine: { api: { address: "127.0.0.1:0" }, stateDir: state }
pipelines: { one: { inputs: { ${inputs} }, outputs: { ${output} } } }
`,
  )
  const streams = keepStreams()
  const registry = registryOf([...EXAMPLE_DEFINITIONS, viewers, runner])
  const plugins = () => Promise.resolve({ registry, problems: [] })
  const options = { env: {}, noEnv: true, plugins, json: true, folder, machine: machine() }
  assert.equal(await runDoctor([path], streams, options), 1)
  const programs = (JSON.parse(streams.outText()) as readonly Finding[]).filter(({ check }) =>
    check.startsWith('program'),
  )
  assert.deepEqual(
    programs.map(({ check, found }) => [check, found]),
    [['program nowhere-at-all', 'is not in PATH, for one/b']],
  )
})
