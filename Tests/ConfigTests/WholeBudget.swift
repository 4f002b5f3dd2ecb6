/// Every field of the schema once, in the order of its description.
let wholeBudget = #"""
    apiVersion: plimsoll.dev/v1alpha1
    kind: Model                               # namespaced
    metadata: {name: chat-8b, namespace: serving}
    spec:
      aliases: [chat]                         # names a client may ask for
      engine:
        kind: vllm                            # vllm | sglang | trtllm | triton | openai | simulated
        endpoints: ["http://127.0.0.1:8001"]  # on one machine (https too, verified); on Kubernetes:


        auth: {bearerFrom: {env: ENGINE_KEY}}
        limits: {concurrentRequests: 256, tokensInFlight: 400000}
        maxContextTokens: 32768
      artifact:
        uri: "hf://org/model@rev"
        digest: "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
      accelerator: {pool: h100, gpus: 1}      # or {pool: h100, mig: 3g.40gb}
      budget:
        objectives:                           # the written budget (D1)
          timeToFirstToken: {p50: 250ms, p95: 800ms, p99: 1500ms}
          interTokenLatency: {p50: 30ms, p99: 80ms}
          endToEnd: {p99: 30s}
        deadline: {timeToFirstToken: 3s, coldStart: 5m, confidence: 95%}
        errorRate: 0.1%                       # failures; refusals are not failures
        refusalRate: 1%                       # optional
        cost: {perMillionOutputTokens: 0.60 USD}
        window: 28d                           # error budget window; burn alerts derive from it
        allocation:
          {gateway: 5ms, queue: 600ms, network: 20ms, engineQueue: 75ms, prefill: 800ms}
      classes:
        interactive: {priority: 100}
        standard: {priority: 50, queue: {requests: 2000, bytes: 256Mi}}
        batch: {priority: 0, deadline: {timeToFirstToken: 10m}, maxWait: 10m}
      overload:
        degrade:                              # a ladder, cheapest harm first (D4)
          - {cap: {outputTokens: 512}}
          - {cap: {outputTokens: 128}}
          - {model: chat-1b}
        hedge: {budget: 2%}
        retry: {budget: 10%}
      scaling:
        replicas: {min: 2, max: 16}
        standby: auto
        scaleDown: {stabilization: 10m, maxStep: 1}
      rollout:
        canary:
          steps: [1%, 10%, 50%]
          maxRegression: {timeToFirstToken.p95: 10%, errorRate: 0.2%}
          confidence: 95%
        shadow: {share: 5%, compare: [latency, finishReason, tokens]}
    ---
    apiVersion: plimsoll.dev/v1alpha1
    kind: Tenant                              # cluster-scoped
    metadata: {name: search-team}
    spec:
      keys:
        - id: k7f3
          salt: "AAECAwQFBgcICQoLDA0ODw"
          hash: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
      weight: 3
      classCeiling: interactive
      models: [chat-8b]                       # absent = all
      limits: {requestsPerMinute: 6000, tokensPerMinute: 2000000, concurrency: 200}
      retention: {records: 30d, prompts: none}
      namespaces: [search]
    ---
    apiVersion: plimsoll.dev/v1alpha1
    kind: GPUPool                             # cluster-scoped
    metadata: {name: h100}
    spec:
      nodeSelector: {nvidia.com/gpu.product: NVIDIA-H100-80GB-HBM3}
      taint: {key: nvidia.com/gpu, value: present, effect: NoSchedule}
      gpusPerNode: 8
      mig: {}                                 # e.g. {3g.40gb: 2} per GPU
      pricePerGPUHour: 2.99 USD
      nodes: {min: 1, max: 12}
      provisioning: {p50: 3m, p99: 9m}        # declared until learned
    ---
    apiVersion: plimsoll.dev/v1alpha1
    kind: Model                               # where the ladder above leads
    metadata: {name: chat-1b, namespace: serving}
    spec:
      engine: {kind: openai, endpoints: ["https://[::1]:8443"]}
      budget: {deadline: {timeToFirstToken: 1s}}
      classes:
        interactive: {priority: 1}
    """#
