// Checks that the file behind each link in our Markdown exists, so that "Where is it?" stays true, and that no page says
// `npx engine`, which outside of a clone runs somebody else's package.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ROOT, listFiles } from './repository.mjs'

const LINK = /\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)\s]*)?\)/g

/** @returns {Promise<string[]>} the faults */
export async function checkLinks() {
  // What check-packages.mjs looks at: its links lead to what is copied beside it while it is packed.
  const isPacked = (path) => path.startsWith('millrace/')
  return listFiles('.', (path) => path.endsWith('.md') && !isPacked(path)).flatMap((path) => {
    const text = readFileSync(join(ROOT, path), 'utf8')
    const missing = [...text.matchAll(LINK)]
      .map(([, target]) => target)
      .filter((target) => !existsSync(join(ROOT, dirname(path), target)))
      .map((target) => `${path}: ${target} does not exist`)
    return text.includes('npx engine') ? [...missing, `${path}: say npx millrace`] : missing
  })
}
