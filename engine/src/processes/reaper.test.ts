import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isAlive, until } from './processes.test.kit.js'
import { statOf } from './process-group.js'
import { ReaperOrders, renderAdd, renderRemove } from './reaper-orders.js'

const HOST = fileURLToPath(new URL('./reaper-host.test.kit.js', import.meta.url))
const SCRIPT = fileURLToPath(new URL('./reaper-script.js', import.meta.url))

const SLEEPS = 'while :; do sleep 0.1; done'
const STUBBORN = `trap '' TERM INT HUP; echo pid $$; ${SLEEPS}`
/** Each prints `pid N` for every process that it starts and that runs on. */
const SCRIPTS = {
  'a process': `echo pid $$; ${SLEEPS}`,
  'a child and a grandchild that ignore TERM': `trap '' TERM; sh -c "${STUBBORN.replaceAll('$$', '\\$\\$')}" & ${STUBBORN}`,
  'a grandchild whose parent has ended': `(sh -c "${STUBBORN.replaceAll('$$', '\\$\\$')}" &) ; echo pid $$; ${SLEEPS}`,
  'a grandchild in a session of its own': `setsid sh -c "${STUBBORN.replaceAll('$$', '\\$\\$')}" & echo pid $$; ${SLEEPS}`,
  'a child without the variable by which it is found': `env -i sh -c "${STUBBORN.replaceAll('$$', '\\$\\$')}" & echo pid $$; ${SLEEPS}`,
  'a child without that variable in a session of its own': `setsid env -i sh -c "${STUBBORN.replaceAll('$$', '\\$\\$')}" & echo pid $$; ${SLEEPS}`,
} as const

const left = new Set<ChildProcess>()
after(() => {
  for (const child of left) child.kill('SIGKILL')
})

interface Host {
  readonly child: ChildProcess
  readonly output: () => string
  /** Those of the scripts. */
  readonly pids: () => readonly number[]
  readonly reaper: () => number
}

async function startHost(scripts: readonly string[], count: number): Promise<Host> {
  const child = spawn(process.execPath, [HOST, ...scripts], { stdio: ['ignore', 'pipe', 'inherit'] })
  left.add(child)
  let output = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text))
  const pids = (): readonly number[] => [...output.matchAll(/^pid (\d+)$/gm)].map(([, pid]) => Number(pid))
  await until(() => pids().length === count, 'all of them run')
  return { child, output: () => output, pids, reaper: () => Number(/^reaper (\d+)$/m.exec(output)?.[1]) }
}

function sleeper(): ChildProcess {
  const child = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' })
  left.add(child)
  return child
}

describe('when the engine is killed', () => {
  test('no child and no grandchild is left, whatever they ignore, and the reaper ends too', async () => {
    const host = await startHost(Object.values(SCRIPTS), 11)
    const pids = host.pids()
    assert.ok(pids.every(isAlive))
    const reaper = host.reaper()
    assert.ok(isAlive(reaper))
    await until(() => catchesSignals(reaper), 'the reaper has started')
    // What Ctrl-C and service managers send must not end it too early.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(reaper, signal)
    await until(() => !isAlive(reaper) || hasTakenSignals(reaper), 'the signals have arrived')
    assert.ok(isAlive(reaper), 'the reaper ignores signals')
    host.child.kill('SIGKILL')
    await until(() => !pids.some(isAlive), 'all of them are gone')
    await until(() => !isAlive(reaper), 'the reaper is gone')
  })

  test('a process that its reaper was killed before is found by the next reaper', async () => {
    const host = await startHost([SCRIPTS['a process']], 1)
    const first = host.reaper()
    process.kill(first, 'SIGKILL')
    const [pid = 0] = host.pids()
    const reapers = (): readonly number[] => childrenOf(host.child.pid ?? 0).filter((each) => each !== pid)
    await until(() => reapers().some((each) => each !== first && isAlive(each)), 'there is another reaper', 30_000)
    host.child.kill('SIGKILL')
    await until(() => !isAlive(pid), 'it is gone')
  })
})

describe('the reaper', () => {
  async function reap(orders: string): Promise<void> {
    const reaper = spawn(process.execPath, [SCRIPT, 'MILLRACE_PROCESSES=test'], {
      stdio: ['pipe', 'ignore', 'inherit'],
    })
    left.add(reaper)
    const ended = once(reaper, 'exit')
    reaper.stdin?.end(orders)
    await ended
  }

  test('ends a group only if it still belongs to the process that it was told of', async () => {
    const [ours, other, removed] = [sleeper(), sleeper(), sleeper()]
    const add = (child: ChildProcess, startTime?: string): string => {
      const group = child.pid ?? 0
      return renderAdd({ group, startTime: startTime ?? statOf(group)?.startTime ?? '', graceMs: 1000 })
    }
    await reap([add(ours), add(other, '123'), add(removed), renderRemove(removed.pid ?? 0)].join(''))
    assert.deepEqual(
      [ours, other, removed].map(({ pid = 0 }) => isAlive(pid)),
      [false, true, true],
    )
  })

  test('never signals the groups of others for orders that make no sense', async () => {
    await reap('+ 0 1 0\n+ 1 1 0\n- \nnonsense\n+ -1 1 0\n+ 99999999999999999999 1 0\n+ 12')
    assert.ok(isAlive(process.pid))
  })

  test('reads orders in pieces, and ignores an unfinished one', () => {
    const text = `${renderAdd({ group: 10, startTime: '5', graceMs: 20 })}${renderAdd({ group: 11, startTime: '', graceMs: 0.4 })}- 12\n`
    const orders = new ReaperOrders()
    for (const character of `${text}+ 13 4`) orders.push(character)
    assert.deepEqual(
      [...orders.groups.values()],
      [
        { group: 10, startTime: '5', graceMs: 20 },
        { group: 11, startTime: '', graceMs: 0 },
      ],
    )
    orders.push(' 0\n- 10\n')
    assert.deepEqual([...orders.groups.keys()], [11, 13])
  })
})

/** SIGHUP, SIGINT and SIGQUIT, the lowest bits of the mask; Node itself catches INT and TERM from the start. */
function catchesSignals(pid: number): boolean {
  const [, mask = '0'] = /^SigCgt:\s+([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return (Number.parseInt(mask.slice(-4), 16) & 0x7) === 0x7
}

/** No signal waits to be delivered. */
function hasTakenSignals(pid: number): boolean {
  return /^ShdPnd:\s+0+$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
}

function childrenOf(pid: number): readonly number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number)
  } catch {
    return []
  }
}
