# docker build -t loyalcast .
#
# Serves the program in a folder of yours (it holds program.yaml; LOYALCAST_API_KEY is a secret of your choice):
#   docker run --rm -p 127.0.0.1:3000:3000 -e LOYALCAST_API_KEY -v "$PWD/my-shop:/programs:ro" \
#     -v loyalcast-data:/data -v loyalcast-models:/models loyalcast
# Any other command stands behind the image:
#   docker run --rm -v "$PWD/my-shop:/programs:ro" -v loyalcast-data:/data -v loyalcast-models:/models \
#     loyalcast daily /programs --date 2025-12-31
# compose.yaml does the same with limits, and has a demo that needs no data.

FROM node:22-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY bin bin
COPY src src
COPY training training
COPY bench bench
RUN npm run build

# TensorFlow's native library is fetched here. Where that fails npm leaves the optional package out, and WebAssembly computes.
# Node 22 is the last with which that package computes (test/native/README.md): on a later one WebAssembly would, too.
FROM node:22-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev && npm cache clean --force

FROM node:22-slim
ENV NODE_ENV=production LOYALCAST_DATA=/data LOYALCAST_MODELS=/models
WORKDIR /app
COPY package.json LICENSE README.md ./
COPY bin/build.mjs bin/loyalcast.mjs bin/
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/dist/src dist/src
COPY --from=build /app/dist/training dist/training
RUN node bin/loyalcast.mjs --help \
 && mkdir /data /models /programs && chown node:node /data /models
USER node
VOLUME ["/data", "/models", "/programs"]
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:3000/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/bin/loyalcast.mjs"]
CMD ["serve", "/programs", "--host", "0.0.0.0"]
