# docker build -t loyalcast .
# docker run --rm -v "$PWD/my-shop:/programs:ro" -v loyalcast-data:/data -v loyalcast-models:/models \
#   loyalcast daily /programs/program.yaml --date 2025-12-31

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

FROM node:22-slim AS runtime-packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev && npm cache clean --force

FROM node:22-slim
ENV NODE_ENV=production LOYALCAST_DATA=/data LOYALCAST_MODELS=/models
WORKDIR /app
COPY package.json LICENSE README.md ./
COPY bin/build.mjs bin/loyalcast.mjs bin/
COPY --from=runtime-packages /app/node_modules node_modules
COPY --from=build /app/dist/src dist/src
COPY --from=build /app/dist/training dist/training
RUN mkdir /data /models && chown node:node /data /models
USER node
VOLUME ["/data", "/models"]
ENTRYPOINT ["node", "/app/bin/loyalcast.mjs"]
CMD ["--help"]
