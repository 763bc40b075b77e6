/** Variables that processes with user code get beside those that the configuration names. */
const alwaysVisible: readonly string[] = [
  'PATH',
  'HOME',
  'USER',
  'LANG',
  'LC_ALL',
  'TZ',
  'TERM',
  'TMPDIR',
  'TEMP',
  'NODE_ENV',
  'NO_COLOR',
  'FORCE_COLOR',
  'SYSTEMROOT',
  'LD_LIBRARY_PATH',
  'DYLD_LIBRARY_PATH',
  'CUDA_VISIBLE_DEVICES',
  'CUDA_HOME',
  'NVIDIA_VISIBLE_DEVICES',
  'VK_ICD_FILENAMES',
  'VK_DRIVER_FILES',
  'XDG_RUNTIME_DIR',
  'OMP_NUM_THREADS',
]

/**
 * The environment of processes that run user code: an allow-list, so that keys and addresses of the server
 * stay with the server. `named` are the further variables that the operator lets them see.
 */
export function visibleEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  named: readonly string[],
): Readonly<Record<string, string>> {
  const visible: Record<string, string> = {}
  for (const name of [...alwaysVisible, ...named]) {
    const value = environment[name]
    if (value !== undefined) visible[name] = value
  }
  return Object.freeze(visible)
}
