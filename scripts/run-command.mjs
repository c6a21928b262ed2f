// Runs one child program at a time for the scripts, in a process group of its own, so that TERM, INT or HUP to the
// script ends the child and all it started before the script exits with 128 + n.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP']

/**
 * @param {readonly [string, ...string[]]} command program and arguments; never a shell
 * @param {{ cwd: string, show?: boolean, env?: NodeJS.ProcessEnv }} options `show`: its output goes where ours goes;
 *   by default it is collected
 * @returns {Promise<{ code: number, output: string }>} 127 if the program is not there
 */
export function runCommand([program, ...args], { cwd, show = false, env = process.env }) {
  return new Promise((resolve) => {
    const stdio = show ? 'inherit' : ['ignore', 'pipe', 'pipe']
    const child = spawn(program, args, { cwd, env, stdio, detached: true })
    const received = forwardSignals(child)
    let output = ''
    const collect = (text) => (output += text)
    child.stdout?.setEncoding('utf8').on('data', collect)
    child.stderr?.setEncoding('utf8').on('data', collect)
    child.on('error', (error) => {
      received.stop()
      resolve({ code: 127, output: `${program}: ${error.message}\n` })
    })
    child.on('close', (code, signal) => {
      received.stop()
      if (received.signal !== undefined) process.exit(exitCodeOf(received.signal))
      resolve({ code: code ?? exitCodeOf(signal), output })
    })
  })
}

function forwardSignals(child) {
  const received = { signal: undefined, stop: () => SIGNALS.forEach((name) => process.off(name, forward)) }
  function forward(signal) {
    // The first signal asks, the second does not.
    const first = received.signal === undefined
    received.signal ??= signal
    try {
      process.kill(-child.pid, first ? signal : 'SIGKILL')
    } catch {
      // It has ended by itself; `close` follows.
    }
  }
  for (const name of SIGNALS) process.on(name, forward)
  return received
}

function exitCodeOf(signal) {
  return 128 + (constants.signals[signal] ?? 0)
}
