// Where the repository is, seen from a compiled test.
import { fileURLToPath } from 'node:url'

/** Of `test/dist/e2e/kit/repository-root.js`. */
export const REPOSITORY_ROOT = fileURLToPath(new URL('../../../..', import.meta.url))
