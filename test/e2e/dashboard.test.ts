// The dashboard in a real terminal: what it shows, what it must never do to the engine, and how it leaves the terminal.
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import process from 'node:process'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { buildTs } from '@millrace/engine/testing'
import { getJson } from './kit/http-request.js'
import { engineYaml } from './kit/engine-yaml.js'
import { REPOSITORY_ROOT } from './kit/repository-root.js'
import { ScriptedControlApi } from './kit/scripted-control-api.js'
import { runCommandLine, startEngine } from './kit/start-engine.js'
import { TempFolder } from './kit/temp-folder.js'
import { assertWhole, engineLine, TmuxTerminal } from './kit/tmux-terminal.js'
import { until } from './kit/until.js'

const HOSTILE = [
  ...['{/}{red-bg}x{|}', '\u009b31mC1', '\u001b[2JESC', '\u001b]52;c;AA\u0007', '\u202eRTL', '日本語'.repeat(20)],
  ...['👨‍👩‍👧‍👦', '❤️', '🇩🇪', `e${'\u0301'.repeat(20)}`, 'x'.repeat(100_000)],
]
/** Two pictures of 200x60 with their colours, and the buffers of the terminal. */
const MOST_STALLED_BYTES = 512 * 1024
const STALLED_PICTURES = 60
const LOOP = 'path: in.ts, loop: true'
const run = promisify(execFile)
let folder: TempFolder

before(async () => {
  folder = await TempFolder.make()
})

after(() => folder[Symbol.asyncDispose]())

async function scripted(names: readonly string[]): Promise<ScriptedControlApi> {
  const api = new ScriptedControlApi(names.map((name) => ({ id: `live/${name}`, why: name })))
  await api.listen()
  return api
}

function top(api: string, options: Partial<Parameters<typeof TmuxTerminal.start>[1]> = {}): Promise<TmuxTerminal> {
  return TmuxTerminal.start(engineLine(['top', '--api', api]), { cwd: folder.path, ...options })
}

function isRunning(pid: number): boolean {
  try {
    // A zombie has ended.
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

describe('the dashboard', { concurrency: 3 }, () => {
  test('shows a running engine in all views, and disconnects a viewer after a question', async () => {
    const channel = { live: { input: LOOP, through: 'both' } } as const
    await using engine = await startEngine({
      yaml: engineYaml(channel),
      files: { 'in.ts': buildTs({ durationS: 20 }).bytes },
    })
    const { urls = [] } = await engine.node('live/out')
    const response = await fetch(urls[0] ?? '')
    const reading = response.arrayBuffer().then(
      () => 'ended',
      () => 'ended',
    )
    await using terminal = await top(engine.api, { columns: 120, rows: 40, cwd: engine.folder.path })
    assertWhole(await terminal.untilScreen(/OK .*viewers 1[^]*live\/check[^]*├ viewers 1 /), 120)
    for (const [key, pattern] of [
      ['2', /┌ graph [^]*│ > main │/],
      ['4', /┌ events and log \d+ [^]*live\/main/],
      ['5', /┌ reload [^]*the same/],
      ['?', /┌ help [^]*up and down scroll/],
      ['NPage', /┌ help [^]*ctrl-s/],
      ['Escape', /┌ reload /],
      ['1', /┌ nodes /],
      ['Enter', /┌ live\/main {3}file[^]*neighbours[^]*options in force[^]*loop: true/],
      ['3', /┌ viewers 1 [^]*live\/out/],
    ] as const) {
      await terminal.keys(key)
      assertWhole(await terminal.untilScreen(pattern), 120)
    }
    await terminal.keys('k')
    await terminal.untilScreen(/disconnect viewer .* of live\/out: 1 viewer\? {2}y yes/)
    await pause(400)
    await terminal.keys('y')
    await terminal.untilScreen(/viewer \S+ was disconnected/)
    assert.equal(await reading, 'ended')
    await terminal.untilScreen(/OK .*viewers 0 /)
    for (const key of ['1', 'Enter', 'x']) await terminal.keys(key)
    await terminal.untilScreen(/restart live\/main: 0 viewers behind it\? {2}y yes/)
    await pause(400)
    await terminal.keys('y')
    await terminal.untilScreen(/live\/main: restart was done/)
  })

  test('plans and applies a reload', async () => {
    await folder.write('in.ts', buildTs({ durationS: 10 }).bytes)
    await folder.write('plan.yaml', engineYaml({ live: { input: LOOP } }))
    await using engine = runCommandLine(['run', '--no-watch', 'plan.yaml'], folder.path)
    const [, api = ''] = await engine.untilStderr(/"(http:[^"]+)\/api\/v1\/status"/)
    await folder.write('plan.yaml', engineYaml({ live: { input: LOOP, outputs: { out: '', second: '' } } }))
    await using terminal = await top(api)
    await terminal.untilScreen(/disk differs: 1 add, \d keep, 0 viewers kept, 0 lost {3}y apply {2}p plan {2}n later/)
    await terminal.keys('5')
    await terminal.untilScreen(/add +live\/second/)
    await terminal.keys('p')
    await terminal.untilScreen(/plan planned: 0 viewers kept, 0 lost/)
    await terminal.keys('y')
    await terminal.untilScreen(/apply what is on disk to 0 viewers \(0 would be lost\)\?/)
    await pause(400)
    await terminal.keys('a')
    await terminal.untilScreen(/reload applied/)
    await terminal.keys('1')
    await terminal.untilScreen(/live\/second/)
  })

  test('outlives any size, a lost engine, and what others write to the terminal', async () => {
    await using api = await scripted(Array.from({ length: 200 }, (_, at) => `node-${at}`))
    await using terminal = await top(api.url)
    await terminal.untilScreen(/nodes 200\/200/)
    let state = 5
    for (let count = 0; count < 60; count++) {
      state = (state * 48_271) % 0x7fffffff
      await terminal.resize(1 + (state % 300), 1 + (Math.floor(state / 300) % 100))
    }
    await terminal.resize(1, 1)
    await terminal.resize(80, 24)
    assertWhole(await terminal.untilScreen(/nodes 200\/200.* 1 Hz ─┐[^]*q quit/), 80)
    await api.close()
    await terminal.untilScreen(/no answer from 127.0.0.1:\d+ for \d+s, trying again/)
    await terminal.resize(100, 30)
    await api.listen()
    await terminal.untilScreen(/^ millrace[^]*all well[^]*nodes 200\/200/)
    const tty = (await terminal.tmux('display', '-p', '#{pane_tty}')).trim()
    await using noise = await TmuxTerminal.start(`sh -c 'printf "\\033[?1049l\\033[2Jnoise" > ${tty}; sleep 60'`, {
      cwd: '/',
    })
    await terminal.untilScreen(/noise/)
    await terminal.keys('C-l')
    assertWhole(await terminal.untilScreen(/^ millrace[^]*nodes 200\/200/), 100)
    assert.match(await terminal.modes(), /^1 /)
    await noise.tmux('kill-server')
    await terminal.keys('G')
    await terminal.untilScreen(/> live\/node-199/)
  })

  test('takes pasted text for no command, and for no answer', async () => {
    await using api = await scripted(['a', 'b'])
    await using terminal = await top(api.url)
    await terminal.untilScreen(/nodes 2\/2/)
    await terminal.tmux('set-buffer', 'kyxyry\nqA\n')
    for (const view of ['1', '2', '3', '4', '5', 'Enter']) {
      await terminal.keys(view)
      for (const brackets of [['-p'], []]) await terminal.tmux('paste-buffer', ...brackets)
    }
    await terminal.untilScreen(/pasted text is not taken for commands/)
    // A key that is read together with the pasted text counts as part of it.
    await until(async () => {
      await terminal.keys('3')
      await pause(200)
      return (await terminal.screen()).includes('┌ viewers 2')
    }, 'the viewers')
    await terminal.keys('x')
    await terminal.untilScreen(/disconnect viewer/)
    for (const brackets of [['-p'], []]) await terminal.tmux('paste-buffer', ...brackets)
    await pause(100)
    assert.deepEqual(api.writes, [])
    assert.equal(isRunning(await terminal.pid()), true)
  })

  test('shows names of any kind, and lets none of their control characters through', async () => {
    await using api = await scripted(HOSTILE)
    await using terminal = await top(api.url, { columns: 120, rows: 40 })
    for (const key of ['1', '2', '3', '4', '1', 'Down', 'Down', 'Enter']) {
      await terminal.keys(key)
      await pause(150)
      if (key === '1') await terminal.untilScreen(/ESC/)
    }
    for (const key of ['1', '2', '3', '4']) {
      await terminal.keys(key)
      assertWhole(await terminal.untilScreen(/\\x1b\[2JESC/), 120)
    }
    assert.equal((await terminal.tmux('show-buffer').catch(() => '')).trim(), '')
  })
})

describe('the terminal', { concurrency: 3 }, () => {
  test('is as before after q, Ctrl-Z and fg', async () => {
    await using api = await scripted(['a', 'b'])
    await using terminal = await TmuxTerminal.start('bash --norc --noprofile -i', { cwd: folder.path })
    await terminal.keys('PS1=READY:; stty -g > before; echo ok', 'Enter')
    await terminal.untilScreen(/ok\nREADY:/)
    const modes = await terminal.modes()
    await terminal.keys(engineLine(['top', '--api', api.url]), 'Enter')
    await terminal.untilScreen(/nodes 2\/2/)
    await terminal.keys('C-z')
    await terminal.untilScreen(/Stopped[^]*READY:/)
    assert.equal(await terminal.modes(), modes)
    await terminal.resize(100, 30)
    await terminal.keys('fg', 'Enter')
    assertWhole(await terminal.untilScreen(/^ millrace[^]*nodes 2\/2/), 100)
    await terminal.keys('Down')
    await terminal.untilScreen(/> live\/b/)
    await terminal.keys('q')
    await terminal.untilScreen(/READY:$/m)
    await terminal.keys('stty -g | cmp - before && echo same', 'Enter')
    await terminal.untilScreen(/^same$/m)
    assert.equal(await terminal.modes(), modes)
  })

  test('is restored when the dashboard of run --tui is killed, and the engine runs on; y stops both', async () => {
    await folder.write('tui.ts', buildTs({ durationS: 10 }).bytes)
    await folder.write('tui.yaml', engineYaml({ live: { input: 'path: tui.ts, loop: true' } }))
    await using terminal = await TmuxTerminal.start('bash --norc --noprofile -i', { cwd: folder.path })
    await terminal.keys('PS1=READY:; stty -g > tui-before; echo ok', 'Enter')
    await terminal.untilScreen(/ok\nREADY:/)
    const modes = await terminal.modes()
    const start = engineLine(['run', '--tui', 'tui.yaml'])
    for (const signal of ['SIGKILL', 'SIGSEGV'] as const) {
      await terminal.keys(start, 'Enter')
      await terminal.untilScreen(/^ millrace tui.yaml/)
      const shell = Number((await terminal.tmux('display', '-p', '#{pane_pid}')).trim())
      const dashboard = await until(() => childNamed('--owner', shell), 'the process of the dashboard')
      process.kill(dashboard, signal)
      const screen = await terminal.untilScreen(new RegExp(`the dashboard ended by ${signal}`))
      assert.equal(await terminal.modes(), modes, signal)
      const api = /(http:\S+)\/api\/v1\/status/.exec(screen)?.[1] ?? ''
      assert.equal((await getJson<{ state: string }>(`${api}/api/v1/status`)).state, 'running')
      await terminal.keys('C-c')
      await terminal.untilScreen(/stopped[^]*READY:$/m)
      await terminal.keys('stty -g | cmp - tui-before && clear && echo same', 'Enter')
      await terminal.untilScreen(/^same$/m)
    }
    await terminal.keys(start, 'Enter')
    await terminal.untilScreen(/^ millrace tui.yaml/)
    await terminal.keys('C-c')
    await terminal.untilScreen(/stop the engine too, with 0 viewers\?/)
    await pause(400)
    await terminal.keys('y')
    await terminal.untilScreen(/stopped[^]*READY:$/m)
  })

  test('is given back when a bug ends the engine of run --tui, and says which', async () => {
    await using own = await TempFolder.make()
    await own.write('bug.ts', buildTs({ durationS: 10 }).bytes)
    // The dashboard needs the token of its engine.
    const yaml = engineYaml({ live: { input: 'path: bug.ts, loop: true' } })
    await own.write('bug.yaml', yaml.replace('api: { address', 'api: { readToken: always, address'))
    const thrower =
      "if (process.argv.includes('run')) process.on('SIGUSR2', () => { throw new Error('a bug of ours') })"
    await own.write('bug.mjs', thrower)
    await using terminal = await TmuxTerminal.start('bash --norc --noprofile -i', { cwd: own.path })
    await terminal.keys('PS1=READY:; stty -g > bug-before; echo ok', 'Enter')
    await terminal.untilScreen(/ok\nREADY:/)
    const modes = await terminal.modes()
    await terminal.keys(`NODE_OPTIONS="--import ./bug.mjs" ${engineLine(['run', '--tui', 'bug.yaml'])}`, 'Enter')
    await terminal.untilScreen(/^ millrace bug.yaml/)
    const shell = Number((await terminal.tmux('display', '-p', '#{pane_pid}')).trim())
    const engine = await until(() => childNamed('--tui', shell), 'the process of the engine')
    const dashboard = await until(() => childNamed('--owner', engine), 'the process of the dashboard')
    process.kill(engine, 'SIGUSR2')
    await terminal.untilScreen(/the log: \S*run.log[^]*READY:/)
    assert.equal(await terminal.modes(), modes)
    await terminal.keys('clear; stty -g | cmp - bug-before && grep -c "a bug of ours" state/run.log', 'Enter')
    await terminal.untilScreen(/^[1-9]\d*$/m)
    await until(() => !isRunning(dashboard), 'the end of the dashboard')
  })

  test('is given back to npx, and not where no shell could continue it', async () => {
    await using api = await scripted(['a', 'b'])
    await using shell = await TmuxTerminal.start('bash --norc --noprofile -i', { cwd: REPOSITORY_ROOT })
    await shell.keys('PS1=READY:; echo ok', 'Enter')
    await shell.untilScreen(/ok\nREADY:/)
    const modes = await shell.modes()
    await shell.keys(`npx --no-install engine top --api ${api.url}`, 'Enter')
    await shell.untilScreen(/nodes 2\/2/)
    await shell.keys('C-z')
    await shell.untilScreen(/Stopped[^]*READY:/)
    assert.equal(await shell.modes(), modes)
    await shell.keys('fg', 'Enter')
    await shell.untilScreen(/^ millrace[^]*nodes 2\/2/)
    await shell.keys('Down')
    await shell.untilScreen(/> live\/b/)
    for (const line of [engineLine(['top', '--api', api.url]), `setsid -w ${engineLine(['top', '--api', api.url])}`]) {
      await using alone = await TmuxTerminal.start(line, { cwd: folder.path })
      await alone.untilScreen(/nodes 2\/2/)
      await alone.keys('C-z')
      await alone.untilScreen(/there is no shell that could continue the dashboard/)
      await alone.keys('Down')
      await alone.untilScreen(/> live\/b/)
    }
  })

  test('ends the dashboard when it vanishes', async () => {
    await using api = await scripted(['a'])
    await using terminal = await top(api.url)
    await terminal.untilScreen(/nodes 1\/1/)
    const pid = await terminal.pid()
    await until(() => api.readers === 1, 'a reader of events')
    await terminal.tmux('kill-server')
    await until(() => !isRunning(pid) && api.readers === 0, 'the end of the dashboard', 20_000)
  })

  test('holds up nothing when it stalls: events are read, and signals obeyed', async () => {
    await using api = await scripted(Array.from({ length: 200 }, (_, at) => `node-${at}`))
    const line = `stty rows 60 cols 200; exec ${engineLine(['top', '--api', api.url])}`
    // Its output goes into a pipe that nobody reads.
    const env = { TERM: 'xterm-256color', LANG: 'C.UTF-8', SHELL: '/bin/sh', NO_COLOR: undefined }
    const script = spawn('script', ['-qfc', line, '/dev/null'], { env: { ...process.env, ...env } })
    try {
      const dashboard = await until(() => childNamed(api.url, script.pid ?? 0), 'the dashboard')
      await until(() => api.readers === 1, 'a reader of events')
      const terminal = readlinkSync(`/proc/${dashboard}/fd/1`)
      // Each size is a whole picture: megabytes of them.
      for (let count = 0; count < STALLED_PICTURES; count++) {
        await run('stty', ['-F', terminal, 'rows', '60', 'cols', String(199 + (count % 2))])
        await pause(70)
      }
      await pause(1000)
      assert.equal(api.unread, 0)
      // One picture is on its way; those that nobody could have seen were never written.
      let bytes = 0
      script.stdout.on('data', (part: Buffer) => (bytes += part.length))
      await until(() => bytes > 0, 'what is on its way')
      await pause(1000)
      assert.ok(bytes < MOST_STALLED_BYTES, `${bytes} bytes have waited`)
      process.kill(dashboard, 'SIGTERM')
      await until(() => api.readers === 0, 'its end')
    } finally {
      script.kill('SIGKILL')
    }
  })

  test('gets only what its locale and type allow, and colours say nothing alone', async () => {
    await using api = await scripted(['a', 'b'])
    const looks = [
      { TERM: 'linux', LANG: 'C' },
      { TERM: 'vt100', LANG: 'C' },
      { TERM: 'screen', LANG: 'C.UTF-8' },
      { TERM: 'xterm-ghostty', LANG: 'C.UTF-8', NO_COLOR: '1' },
    ]
    for (const env of looks) {
      await using terminal = await top(api.url, { env })
      const screen = await terminal.untilScreen(/nodes 2\/2/)
      assert.match(screen, env.LANG === 'C' ? /^\+ nodes 2\/2 -+/m : /^┌ nodes 2\/2 ─+/m, JSON.stringify(env))
      assert.doesNotMatch(screen.replace(/^ \? help/m, ''), /\?|lqq|qqk/)
      assert.match(screen, /OK[^]*live\/a +UP/)
    }
  })

  test('is not needed: the table is printed once, as text and as JSON', async () => {
    await using api = await scripted(['a', 'b'])
    const results = await Promise.all(
      [[], ['--once'], ['--once', '--json']].map(async (more) => {
        await using child = runCommandLine(['top', '--api', api.url, ...more], folder.path)
        const { code } = await child.exited
        return { code, out: child.stdout, err: child.stderr }
      }),
    )
    const [piped, once, json] = results
    assert.deepEqual(
      results.map(({ code }) => code),
      [0, 0, 0],
    )
    assert.match(piped?.out ?? '', /OK[^]*all well[^]*live\/a +http-ts +UP/)
    assert.match(piped?.err ?? '', /no terminal to draw in: this is the table once/)
    assert.equal(once?.err, '')
    const { nodes } = JSON.parse(json?.out ?? '') as { nodes: { id: string; state: string }[] }
    assert.deepEqual(
      nodes.map(({ id, state }) => `${id} ${state}`),
      ['live/a ready', 'live/b ready'],
    )
    await using watching = runCommandLine(['top', '--watch', '1', '--api', api.url], folder.path)
    await until(() => watching.stdout.includes('live/b'), 'the first table')
    await api.close()
    await watching.untilStderr(/no engine answers/)
    const { length } = watching.stdout
    await api.listen()
    await until(() => watching.stdout.slice(length).includes('live/b'), 'a table of the engine that is back')
    await using absent = runCommandLine(['top', '--once', '--api', 'http://127.0.0.1:1'], folder.path)
    assert.equal((await absent.exited).code, 69)
  })
})

/** A descendant of the process whose command line has the word. */
async function childNamed(word: string, ancestor: number): Promise<number | undefined> {
  const { readdir } = await import('node:fs/promises')
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  return pids.find((pid) => {
    try {
      const isNamed = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(word)
      return isNamed && isBelow(pid, ancestor)
    } catch {
      return false
    }
  })
}

function isBelow(pid: number, ancestor: number): boolean {
  for (let each = pid; each > 1; each = parentOf(each)) if (each === ancestor) return true
  return false
}

function parentOf(pid: number): number {
  return Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1])
}
