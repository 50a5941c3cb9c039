/** Device on which tests that compute run their graphs: SAMPO_DEVICE (`SAMPO_DEVICE=webgpu npm test`), the CPU without it. */
export const TEST_DEVICE = process.env['SAMPO_DEVICE'] ?? 'cpu';

/** The same for a session made in a test itself. */
export const TEST_PROVIDERS = TEST_DEVICE === 'cpu' ? ['cpu'] : [TEST_DEVICE, 'cpu'];
