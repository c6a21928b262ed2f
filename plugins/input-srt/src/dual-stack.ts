// Whether a socket on `[::]` takes callers over IPv4, as addresses like ::ffff:192.0.2.1. Node.js leaves it to the system:
// Linux says no only with `net.ipv6.bindv6only=1` (ip-sysctl), and a file says so.
import { readFileSync } from 'node:fs'

const SETTING = '/proc/sys/net/ipv6/bindv6only'

/** Undefined: the address is not `::`. */
export function isDualStack(host: string, setting: () => string = readSetting): boolean | undefined {
  return host === '::' ? setting().trim() !== '1' : undefined
}

function readSetting(): string {
  try {
    return readFileSync(SETTING, 'latin1')
  } catch {
    // Not Linux, or a kernel without IPv6.
    return process.platform === 'openbsd' ? '1' : '0'
  }
}
