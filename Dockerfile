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
RUN npx tsc && chmod +x dist/src/main.js && npm prune --omit=dev --no-audit --no-fund

FROM node:22-bookworm-slim
ENV NODE_ENV=production
WORKDIR /weir
COPY --from=build /weir/node_modules node_modules
COPY --from=build /weir/dist/src dist/src
COPY package.json LICENSE ./
COPY config config
COPY src/demo src/demo
# /var/lib/weir is for registry.snapshotFile.
RUN ln -s /weir/dist/src/main.js /usr/local/bin/weir \
 && install -d -o 1000 -g 1000 /var/lib/weir
# The image's user `node`, as a number: Kubernetes checks `runAsNonRoot` before it knows names.
USER 1000:1000
# 8080: players. 8081: metrics, health and API; WEIR_ADMIN_LISTEN=:8081 lets others than this container reach it.
EXPOSE 8080 8081
STOPSIGNAL SIGTERM
# Follows admin.listen of the environment and the configuration file. Give it that way, not as a flag.
HEALTHCHECK --interval=15s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "/weir/dist/src/commands/health-check.js"]
ENTRYPOINT ["weir"]
CMD ["serve"]
