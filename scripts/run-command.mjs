// Runs one child program at a time for the scripts, in a process group of its own: on SIGTERM, SIGINT or SIGHUP to the
// script, the child and everything it started end before the script exits with 128 + n.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP']

/**
 * @param {readonly [string, ...string[]]} command program and arguments; never a shell
 * @param {{ cwd: string, show?: boolean, env?: NodeJS.ProcessEnv }} options `show`: the child inherits our
 *   stdout and stderr; by default its output is collected
 * @returns {Promise<{ code: number, output: string }>} 127 if the program does not exist
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
    // The first signal is forwarded, the second one kills.
    const first = received.signal === undefined
    received.signal ??= signal
    try {
      process.kill(-child.pid, first ? signal : 'SIGKILL')
    } catch {
      // The child has already ended; `close` follows.
    }
  }
  for (const name of SIGNALS) process.on(name, forward)
  return received
}

function exitCodeOf(signal) {
  return 128 + (constants.signals[signal] ?? 0)
}
