/** The configuration that the contract gives as its example, word for word. */
export const CONTRACT_EXAMPLE = `name: app-logs
source:
  tail: { paths: ["logs/*.log"], from: beginning, fields: { log_type: app } }
checkpoint: { path: data/app-logs.checkpoint }        # everyMs: 1000
stages:
  - parse: { format: delimited, separator: "|", fields: [time, level, message] }
  - normalize: {}
routes:
  - name: problems
    stages:
      - keep: { level: [ERROR, WARN] }
    to:
      file: { path: out/problems.ndjson }
deadLetter:
  file: { path: out/dead.ndjson }
`;
