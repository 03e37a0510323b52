# syntax=docker/dockerfile:1
# The edge, and with other commands a simulated origin or a registrar: `docker run weir --help`.

FROM node:22-bookworm-slim AS build
# The ZooKeeper client is native code, built against the headers that come with this Node.
RUN apt-get update \
 && apt-get install -y --no-install-recommends gcc g++ make python3 \
 && rm -rf /var/lib/apt/lists/*
ENV npm_config_nodedir=/usr/local
WORKDIR /weir
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
# The client is an optional dependency: without this check a failed build would only show when ZooKeeper is used.
RUN node -e "require('zookeeper')"
COPY tsconfig.json ./
COPY src src
RUN npx tsc && npm prune --omit=dev --no-audit --no-fund

FROM node:22-bookworm-slim
ENV NODE_ENV=production
WORKDIR /weir
COPY --from=build /weir/node_modules node_modules
COPY --from=build /weir/dist/src dist/src
COPY package.json LICENSE ./
COPY config config
COPY src/demo src/demo
# For registry.snapshotFile.
RUN install -d -o node -g node /var/lib/weir
USER node
# 8080: players. 8081: metrics, health and API; WEIR_ADMIN_LISTEN=:8081 lets others than this container reach it.
EXPOSE 8080 8081
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8081/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/src/main.js"]
CMD ["serve"]
